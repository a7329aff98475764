/** PostgreSQL's errors in our words. Its own may hold values of the data, so of it only the code of the error is told. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";

/** SQLSTATE classes and codes after which the same may go well in a moment: https://www.postgresql.org/docs/15/errcodes-appendix.html */
const passing = /^(08|53|57P0|40)/;

/** @param what `the PostgreSQL of wageGap_UVA.postgres.json` */
export function postgresError(error: unknown, what: string): DynamosError {
  if (error instanceof DynamosError) return error;
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  const state = typeof code === "string" ? code : "";
  // Five letters or digits are the server's; Node's own are words, and a lost connection has none.
  if (/^[0-9A-Z]{5}$/.test(state)) return serverError(state, what);
  const tls = tlsProblem(state, String(message ?? ""));
  if (tls !== undefined) return new DynamosError(ErrorCode.DATA_UNREADABLE, `${what} ${tls}`);
  if (/^SASL/.test(String(message))) {
    return new DynamosError(
      ErrorCode.DATA_UNREADABLE,
      `${what} asks for another password than the one of passwordFile`,
    );
  }
  const reason = state === "" ? "the connection was lost" : state;
  return new DynamosError(ErrorCode.DATA_UNAVAILABLE, `${what} does not answer (${reason})`);
}

function serverError(state: string, what: string): DynamosError {
  const told = `(SQLSTATE ${state})`;
  switch (state) {
    case "28P01":
    case "28000":
      return new DynamosError(ErrorCode.DATA_UNREADABLE, `${what} does not let its role in ${told}`);
    case "3D000":
      return new DynamosError(ErrorCode.DATA_UNREADABLE, `${what} has no such database ${told}`);
    case "22021":
    case "22P05":
      return new DynamosError(ErrorCode.DATA_UNREADABLE, `${what} has text that is not UTF-8 ${told}`);
    case "57014":
      return new DynamosError(ErrorCode.DEADLINE_EXCEEDED, `${what} took longer than there was time`);
    case "55P03":
      return new DynamosError(ErrorCode.DATA_UNAVAILABLE, `${what} has a table locked by somebody ${told}`);
    case "42501":
      return new DynamosError(ErrorCode.DATA_UNREADABLE, `${what} does not allow its role to read this ${told}`);
  }
  return passing.test(state)
    ? new DynamosError(ErrorCode.DATA_UNAVAILABLE, `${what} can't answer now ${told}`)
    : new DynamosError(ErrorCode.DATA_UNREADABLE, `${what} can't be read ${told}`);
}

function tlsProblem(code: string, message: string): string | undefined {
  if (message === "The server does not support SSL connections") return "offers no TLS";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "has a certificate of another name";
  return /CERT|SELF_SIGNED|UNABLE_TO_|^ERR_SSL|^ERR_OSSL|^ERR_TLS/.test(code)
    ? `has a certificate that caFile does not vouch for (${code})`
    : undefined;
}
