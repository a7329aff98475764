/** Errors as problem documents (RFC 9457): `application/problem+json`. */
import { ErrorCode, type Failure, type Reason } from "#contracts";
import { labelOf, rowOf, toDynamosError } from "#errors";

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** From the closed list. */
  readonly code: string;
  readonly detail: string;
  readonly [extension: string]: unknown;
}

export function problem(code: ErrorCode, detail: string, extensions: Readonly<Record<string, unknown>> = {}): Problem {
  const { title, httpStatus, label } = rowOf(code);
  return { type: "about:blank", title, status: httpStatus, code: label, detail, ...extensions };
}

/** Of a refusal as a whole: the first reason gives the status. */
export function refusalProblem(
  reasons: readonly Reason[],
  extensions: Readonly<Record<string, unknown>> = {},
): Problem {
  const detail = reasons.map(({ message }) => message).join("; ");
  return problem(reasons[0]?.code ?? ErrorCode.DENIED, detail, { ...extensions, reasons: reasons.map(reasonJson) });
}

export function problemOf(error: unknown, extensions: Readonly<Record<string, unknown>> = {}): Problem {
  const known = toDynamosError(error);
  return problem(known.code, known.message, extensions);
}

export function problemResponse(body: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  const retryLater: Record<string, string> = body.status === 503 || body.status === 429 ? { "retry-after": "1" } : {};
  // What is left of the body was not read: the next request must not meet it on this connection.
  const unread: Record<string, string> = body.status === 413 || body.status === 408 ? { connection: "close" } : {};
  return new Response(`${JSON.stringify(body)}\n`, {
    status: body.status,
    headers: { "content-type": "application/problem+json", ...retryLater, ...unread, ...headers },
  });
}

export function reasonJson({ code, clause, message }: Reason) {
  return { code: labelOf(code), ...(clause === "" ? {} : { clause }), message };
}

export function failureJson({ code, message, party, step }: Failure) {
  return { party, ...(step === "" ? {} : { step }), code: labelOf(code), message };
}
