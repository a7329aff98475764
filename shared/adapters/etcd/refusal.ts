/** What etcd's answers mean that are none: for whoever asked, and for whether another try can help. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";

/** `endpoint`: another one may do better, or this one in a moment; `token`: with a new one. The others are final. */
export type RefusalReason = "endpoint" | "token" | "compacted" | "future" | "lease" | "forbidden" | "other";

/** Its message is made here: of etcd's own nothing is shown, it is the cause. */
export class EtcdRefusal extends DynamosError {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string, options: { code?: ErrorCode; cause?: unknown } = {}) {
    super(options.code ?? ErrorCode.KNOWLEDGE_UNAVAILABLE, message, { cause: options.cause });
    this.reason = reason;
  }
}

interface Known {
  readonly says: RegExp;
  readonly reason: RefusalReason;
  readonly message: string;
  readonly code?: ErrorCode;
}

/** etcd's messages of 3.4 to 3.6: api/v3rpc/rpctypes/error.go. */
const table: readonly Known[] = [
  { says: /revision has been compacted/, reason: "compacted", message: "these changes are forgotten: list again" },
  { says: /is a future revision/, reason: "future", message: "this revision is still to come" },
  { says: /lease not found/, reason: "lease", message: "the lease has ended" },
  { says: /invalid auth token|revision of auth store is old/, reason: "token", message: "its token is not valid" },
  {
    says: /permission denied/i,
    reason: "forbidden",
    message: "its etcd user may not do this",
    code: ErrorCode.FORBIDDEN,
  },
  { says: /user name is empty/, reason: "other", message: "it asks for a user, and none is given" },
  { says: /invalid user ID or password/, reason: "other", message: "it refuses the user or the password" },
  {
    says: /CommonName of client/,
    reason: "other",
    message: "with users, its gateway takes no client certificate that has a common name (CN): use one without",
  },
  {
    says: /authentication is not enabled/,
    reason: "other",
    message: "a user is given, and it has authentication switched off",
  },
  { says: /database space exceeded/, reason: "other", message: "it is full: its quota of space is used up" },
  {
    says: /request is too large|larger than max|too many operations/i,
    reason: "other",
    message: "the change is larger than etcd takes (--max-request-bytes, --max-txn-ops)",
    code: ErrorCode.BODY_TOO_LARGE,
  },
];

/** gRPC's: CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE. */
const transient = new Set([1, 2, 4, 8, 10, 13, 14]);

/** @param where host and port, for people */
export function refusalOf(where: string, status: number, body: string): EtcdRefusal {
  const { code, message } = parsed(body);
  const cause = new Error(`etcd said ${status}: ${(message ?? body).slice(0, 500)}`);
  const known = table.find(({ says }) => says.test(message ?? body.slice(0, 500)));
  if (known !== undefined) {
    const text = known.reason === "lease" ? known.message : `the knowledge base at ${where}: ${known.message}`;
    return new EtcdRefusal(known.reason, text, { ...(known.code === undefined ? {} : { code: known.code }), cause });
  }
  if (status >= 500 || status === 429 || (code !== undefined && transient.has(code))) {
    return new EtcdRefusal("endpoint", `the knowledge base at ${where} can't answer now`, { cause });
  }
  const why = /HTTP request to an HTTPS server/.test(body)
    ? "it speaks TLS on this port: use https://"
    : "it is no etcd with the JSON gateway of version 3, or does not understand what it is asked";
  return new EtcdRefusal("other", `the knowledge base at ${where}: ${why}`, { cause });
}

/** @param error of a connection, or of waiting for it */
export function unreachable(where: string, error: unknown): EtcdRefusal {
  if (error instanceof EtcdRefusal) return error;
  const { code = "", name = "" } = (error ?? {}) as { readonly code?: string; readonly name?: string };
  const tls = tlsSentence(code);
  if (tls !== undefined) return new EtcdRefusal("endpoint", `the knowledge base at ${where}: ${tls}`, { cause: error });
  const why = name === "TimeoutError" || name === "AbortError" ? "no answer in time" : code || "connection lost";
  return new EtcdRefusal("endpoint", `the knowledge base at ${where} does not answer (${why})`, { cause: error });
}

/** Node's and OpenSSL's codes: nodejs.org/api/tls.html, openssl.org/docs/man3.0/man1/openssl-verification-options.html. */
function tlsSentence(code: string): string | undefined {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "its certificate is for another host";
  if (code === "CERT_HAS_EXPIRED") return "its certificate has expired";
  if (/SELF_SIGNED_CERT|UNABLE_TO_(VERIFY|GET_ISSUER)|CERT_(UNTRUSTED|SIGNATURE_FAILURE)/.test(code)) {
    return "its certificate is not signed by the authority that we trust";
  }
  if (/ALERT_CERTIFICATE_REQUIRED/.test(code)) return "it asks for a client certificate";
  if (/ALERT_(UNKNOWN_CA|\w*CERTIFICATE\w*|DECRYPT_ERROR|HANDSHAKE_FAILURE)/.test(code)) {
    return "it refuses our client certificate, or the lack of one";
  }
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG") {
    return "it does not speak TLS on this port: use http://";
  }
  if (code === "ERR_OSSL_X509_KEY_VALUES_MISMATCH") return "the key is not that of our client certificate";
  return /^ERR_OSSL_/.test(code) ? "a certificate or key is not in PEM format" : undefined;
}

/** A stream wraps what a single answer says directly. */
function parsed(body: string): { readonly code?: number; readonly message?: string } {
  try {
    const json = JSON.parse(body) as { code?: unknown; message?: unknown; error?: unknown };
    const inner = typeof json.error === "object" && json.error !== null ? (json.error as Record<string, unknown>) : {};
    const code = json.code ?? inner.grpc_code;
    const message = json.message ?? inner.message;
    return {
      ...(typeof code === "number" ? { code } : {}),
      ...(typeof message === "string" ? { message } : {}),
    };
  } catch {
    return {};
  }
}
