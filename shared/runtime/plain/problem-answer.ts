/** What a caller reads of an error: a problem document (RFC 9457) with a code of the closed list, never a stack trace. */
import type { ErrorCode } from "#contracts";
import { rowOf } from "#errors";
import type { PlainAnswer } from "./plain-call.ts";

const retryAfterSeconds = "1";

export function problemAnswer(code: ErrorCode, detail: string): PlainAnswer {
  const { title, httpStatus: status, label } = rowOf(code);
  const problem = { type: "about:blank", title, status, code: label, detail };
  return {
    status,
    headers: {
      "content-type": "application/problem+json",
      ...(status === 503 ? { "retry-after": retryAfterSeconds } : {}),
    },
    body: Buffer.from(`${JSON.stringify(problem)}\n`),
  };
}
