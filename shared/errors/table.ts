import { ErrorCode } from "#contracts";

/**
 * What the sidecar does with the message when a hop ends with a code.
 *
 * - `retry`: the world may be better in a moment; again with back-off until tries or deadline run out, then as `dead-letter`.
 * - `dead-letter`: nothing will help, and an operator should look; the asker is told at once.
 * - `answer`: the asker caused it or policy said so; the asker is told, the message is done.
 */
export type Delivery = "retry" | "dead-letter" | "answer";

export interface ErrorRow {
  /** What users see in `code` and the command line prints. */
  readonly label: string;
  readonly httpStatus: number;
  readonly delivery: Delivery;
  /** Title of the problem document (RFC 9457). */
  readonly title: string;
}

const row = (label: string, httpStatus: number, delivery: Delivery, title: string): ErrorRow => ({
  label,
  httpStatus,
  delivery,
  title,
});

/** Every error of the system. The code alone decides status and delivery; no call site does. */
export const errorTable: Readonly<Record<Exclude<ErrorCode, ErrorCode.UNRECOGNIZED>, ErrorRow>> = {
  [ErrorCode.UNSPECIFIED]: row("INTERNAL", 500, "dead-letter", "Unspecified error"),

  [ErrorCode.INVALID_REQUEST]: row("INVALID_REQUEST", 400, "answer", "The request is not valid"),
  [ErrorCode.UNAUTHENTICATED]: row("UNAUTHENTICATED", 401, "answer", "The caller is not known"),
  [ErrorCode.NOT_FOUND]: row("NOT_FOUND", 404, "answer", "There is no such thing"),
  [ErrorCode.METHOD_NOT_ALLOWED]: row("METHOD_NOT_ALLOWED", 405, "answer", "This method is not offered here"),
  [ErrorCode.UNSUPPORTED_MEDIA_TYPE]: row(
    "UNSUPPORTED_MEDIA_TYPE",
    415,
    "answer",
    "This content type is not understood",
  ),
  [ErrorCode.BODY_TOO_LARGE]: row("BODY_TOO_LARGE", 413, "answer", "The body is too large"),
  [ErrorCode.REVISION_CONFLICT]: row("REVISION_CONFLICT", 412, "answer", "The document has changed since it was read"),
  [ErrorCode.RATE_LIMITED]: row("RATE_LIMITED", 429, "answer", "Too many requests"),
  [ErrorCode.NOT_ACCEPTABLE]: row("NOT_ACCEPTABLE", 406, "answer", "None of the accepted formats can hold this"),
  [ErrorCode.REQUEST_TIMEOUT]: row("REQUEST_TIMEOUT", 408, "answer", "The request did not arrive in time"),
  [ErrorCode.RANGE_NOT_SATISFIABLE]: row("RANGE_NOT_SATISFIABLE", 416, "answer", "There are no bytes in this range"),
  [ErrorCode.PRECONDITION_REQUIRED]: row(
    "PRECONDITION_REQUIRED",
    428,
    "answer",
    "The request must say which revision it replaces",
  ),
  [ErrorCode.FORBIDDEN]: row("FORBIDDEN", 403, "answer", "The caller may not do this"),

  [ErrorCode.DENIED]: row("DENIED", 403, "answer", "No agreement allows this"),
  [ErrorCode.UNKNOWN_PROVIDER]: row("UNKNOWN_PROVIDER", 404, "answer", "There is no such provider"),
  [ErrorCode.NO_COMMON_ARCHETYPE]: row("NO_COMMON_ARCHETYPE", 409, "answer", "No archetype is allowed by all involved"),
  [ErrorCode.COMPOSITION_INVALID]: row("COMPOSITION_INVALID", 409, "answer", "The steps do not form a chain"),
  [ErrorCode.REVOKED]: row("REVOKED", 403, "answer", "The approval was withdrawn"),
  [ErrorCode.APPROVAL_INVALID]: row("APPROVAL_INVALID", 403, "dead-letter", "The approval is not what was signed"),

  [ErrorCode.SQL_INVALID]: row("SQL_INVALID", 400, "answer", "The SQL is not valid"),
  [ErrorCode.SQL_REFUSED]: row("SQL_REFUSED", 403, "answer", "The SQL does what is not allowed"),
  [ErrorCode.UNKNOWN_TABLE]: row("UNKNOWN_TABLE", 400, "answer", "There is no such table for this user"),
  [ErrorCode.UNKNOWN_COLUMN]: row("UNKNOWN_COLUMN", 400, "answer", "There is no such column for this user"),
  [ErrorCode.UNKNOWN_ALGORITHM]: row("UNKNOWN_ALGORITHM", 400, "answer", "There is no such algorithm"),
  [ErrorCode.TYPE_MISMATCH]: row("TYPE_MISMATCH", 400, "answer", "The algorithm does not fit the column"),
  [ErrorCode.SCHEMA_MISMATCH]: row("SCHEMA_MISMATCH", 409, "answer", "The providers' tables do not fit together"),
  [ErrorCode.RESULT_TOO_LARGE]: row("RESULT_TOO_LARGE", 422, "answer", "The result is over the limit"),
  [ErrorCode.DATA_UNREADABLE]: row("DATA_UNREADABLE", 500, "dead-letter", "The data set cannot be read"),
  [ErrorCode.DATA_UNAVAILABLE]: row("DATA_UNAVAILABLE", 503, "retry", "The database of a data set does not answer"),

  [ErrorCode.PROVIDER_OFFLINE]: row("PROVIDER_OFFLINE", 503, "answer", "The provider is offline"),
  [ErrorCode.COMPUTE_PROVIDER_OFFLINE]: row("COMPUTE_PROVIDER_OFFLINE", 503, "answer", "No compute provider is online"),
  [ErrorCode.DEADLINE_EXCEEDED]: row("DEADLINE_EXCEEDED", 504, "answer", "The deadline has passed"),
  [ErrorCode.CANCELLED]: row("CANCELLED", 409, "answer", "The query was cancelled"),
  [ErrorCode.WORKER_CRASHED]: row("WORKER_CRASHED", 500, "retry", "The process of a step died"),
  [ErrorCode.WORKER_OUT_OF_MEMORY]: row(
    "WORKER_OUT_OF_MEMORY",
    500,
    "dead-letter",
    "A step needed more memory than it may have",
  ),
  [ErrorCode.FUNCTION_UNAVAILABLE]: row("FUNCTION_UNAVAILABLE", 503, "retry", "A function does not answer"),
  [ErrorCode.BROKER_UNAVAILABLE]: row("BROKER_UNAVAILABLE", 503, "retry", "The message broker does not answer"),
  [ErrorCode.UNROUTABLE]: row("UNROUTABLE", 503, "dead-letter", "No queue takes this message"),
  [ErrorCode.OVERLOADED]: row("OVERLOADED", 503, "retry", "Too much work at once"),
  [ErrorCode.PART_MISSING]: row("PART_MISSING", 504, "answer", "A provider's part is missing"),
  [ErrorCode.ENVELOPE_INVALID]: row("ENVELOPE_INVALID", 400, "dead-letter", "The envelope cannot be understood"),
  [ErrorCode.KNOWLEDGE_UNAVAILABLE]: row("KNOWLEDGE_UNAVAILABLE", 503, "retry", "The knowledge base does not answer"),
  [ErrorCode.TRANSFER_LOST]: row("TRANSFER_LOST", 500, "retry", "The rows of a table are gone"),
  [ErrorCode.RECORD_UNAVAILABLE]: row("RECORD_UNAVAILABLE", 503, "retry", "The audit record cannot be written"),
  [ErrorCode.KEYS_UNAVAILABLE]: row("KEYS_UNAVAILABLE", 503, "answer", "The keys of the tokens' issuer cannot be had"),

  [ErrorCode.INTERNAL]: row("INTERNAL", 500, "dead-letter", "Internal error"),
};

/** The row of a code, also of one that a newer peer sent and this build does not know. */
export function rowOf(code: ErrorCode): ErrorRow {
  return (errorTable as Record<number, ErrorRow>)[code] ?? errorTable[ErrorCode.INTERNAL];
}

export function labelOf(code: ErrorCode): string {
  return rowOf(code).label;
}
