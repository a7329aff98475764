/** Whether an approval is the policy step's word about this query, from this asker, at this time. */
import { type Approval, type Envelope, ErrorCode } from "#contracts";
import { approvalClaims } from "#domain/approval-claims";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { jwsProblem } from "./approval-jws.ts";
import type { ApprovalKeys } from "./approval-keys.ts";
import { querySha256 } from "./query-hash.ts";
import type { VerifiedSignatures } from "./verified-signatures.ts";

/** What an approval is held against. */
export type ApprovedMessage = Pick<Envelope, "queryId" | "query" | "replyTo" | "attempt" | "deadlineMs">;

export interface Verification {
  readonly keys: ApprovalKeys;
  readonly nowMs: number;
  /** Of earlier looks; absent: each signature is computed. */
  readonly verified?: VerifiedSignatures;
}

/**
 * The signature first: of what is not signed nothing else is said.
 *
 * @returns APPROVAL_INVALID, saying which check it did not pass; DEADLINE_EXCEEDED when it ended with its query;
 *   undefined: it holds
 */
export function approvalError(
  approval: Approval,
  message: ApprovedMessage,
  { keys, nowMs, verified }: Verification,
): DynamosError | undefined {
  const invalid = (problem: string) =>
    new DynamosError(ErrorCode.APPROVAL_INVALID, `the approval of ${approval.provider || "nobody"} ${problem}`);
  const problem =
    jwsProblem(approval.jws, approvalClaims(approval), keys, verified) ?? bindingProblem(approval, message);
  if (problem !== undefined) return invalid(problem);
  if (approval.issuedAtMs > nowMs + limits.approvalSkewMsMax) return invalid("is of a time that is still to come");
  if (approval.expiresAtMs > nowMs) return undefined;
  return approval.expiresAtMs === message.deadlineMs
    ? new DynamosError(ErrorCode.DEADLINE_EXCEEDED, "the query's time has passed, and its approval with it")
    : invalid("has expired");
}

function bindingProblem(approval: Approval, { queryId, query, replyTo, attempt }: ApprovedMessage): string | undefined {
  if (query === undefined) return "comes without its query";
  if (approval.queryId !== queryId || query.id !== queryId) return "is of another query";
  if (approval.user?.name !== query.user?.name || approval.user?.id !== query.user?.id) return "is of another user";
  if (approval.querySha256 !== querySha256(query)) return "is of the query before it was changed";
  if (approval.replyTo !== replyTo) return "is of another asker";
  return approval.attempt === attempt ? undefined : "is of another attempt";
}
