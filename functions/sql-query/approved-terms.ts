/** The look at the approval where the data is, before any of it is opened. */
import type { ApprovalKeys } from "#approval/approval-keys";
import { approvalError } from "#approval/verify";
import { type Approval, type Envelope, ErrorCode, type Terms } from "#contracts";
import { mayLeave } from "#domain/egress";
import { evaluateAgain } from "#domain/policy";
import { useOf } from "#domain/revocation";
import { stillCovers } from "#domain/same-terms";
import { DynamosError } from "#errors";

export interface ApprovalQuestion {
  readonly keys: ApprovalKeys;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/**
 * The terms under which the query runs: what the party's own agreement says now, which must cover
 * what was approved. What others say was agreed is only ever compared with it.
 *
 * @throws DynamosError ENVELOPE_INVALID, APPROVAL_INVALID, DEADLINE_EXCEEDED, DENIED, REVOKED
 */
export function approvedTerms(envelope: Envelope, question: ApprovalQuestion): Terms {
  const { query, party, knowledge, chain } = envelope;
  if (query === undefined || chain === undefined || knowledge === undefined) {
    const missing = query === undefined ? "query" : chain === undefined ? "chain" : "knowledge";
    throw new DynamosError(ErrorCode.ENVELOPE_INVALID, `the envelope has no ${missing}`);
  }
  const approved = approvalOf(envelope, question);
  const problem = mayLeave(envelope);
  if (problem !== undefined) throw new DynamosError(ErrorCode.DENIED, problem);
  const { decision } = evaluateAgain(query, party, knowledge, question.nowMs);
  if (decision?.$case !== "terms") {
    throw revoked(decision?.value.reasons[0]?.message ?? `${party} does not allow this any more`);
  }
  const change = stillCovers(approved, decision.value, useOf(envelope));
  if (change !== undefined) throw revoked(`${party}: ${change}`);
  return decision.value;
}

function approvalOf(envelope: Envelope, question: ApprovalQuestion): NonNullable<Approval["terms"]> {
  const { party, approvals } = envelope;
  const approval = approvals.find(({ provider }) => provider === party);
  if (approval?.terms === undefined) {
    throw new DynamosError(ErrorCode.APPROVAL_INVALID, `there is no approval of ${party}`);
  }
  const error = approvalError(approval, envelope, question);
  if (error !== undefined) throw error;
  return approval.terms;
}

function revoked(message: string): DynamosError {
  return new DynamosError(ErrorCode.REVOKED, message);
}
