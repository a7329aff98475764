/** The policy step's signature under what it approves. */
import type { Approval, Envelope, Query } from "#contracts";
import { approvalClaims } from "#domain/approval-claims";
import { signedJws } from "./approval-jws.ts";
import type { SigningKey } from "./approval-keys.ts";
import { querySha256 } from "./query-hash.ts";

/** What all approvals of one decision share. */
export interface Signing {
  readonly query: Query;
  readonly replyTo: Envelope["replyTo"];
  readonly attempt: Envelope["attempt"];
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly key: SigningKey;
}

/** The same approvals, bound to the query and to its asker, each with its signature. */
export function signApprovals(
  approvals: readonly Approval[],
  { query, replyTo, attempt, nowMs, key }: Signing,
): Approval[] {
  const hash = querySha256(query);
  return approvals.map((approval) => {
    const bound = { ...approval, querySha256: hash, replyTo, attempt, issuedAtMs: nowMs };
    return { ...bound, jws: signedJws(approvalClaims(bound), key) };
  });
}
