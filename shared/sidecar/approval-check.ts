/** The sidecar's own look at the approvals of a message: before a hop of it runs, and before anything of it leaves. */

import type { ApprovalKeys } from "#approval/approval-keys";
import { createVerifiedSignatures } from "#approval/verified-signatures";
import { approvalError } from "#approval/verify";
import { type Envelope, ErrorCode } from "#contracts";
import { mayLeave } from "#domain/egress";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Clock } from "#ports/clock";

export interface ApprovalCheck {
  /** @returns APPROVAL_INVALID or DENIED, and why; undefined: what it says is approved, by those whose data it is about */
  errorOf(envelope: Envelope): DynamosError | undefined;
}

export interface ApprovalCheckOptions {
  readonly keys: ApprovalKeys;
  readonly party: string;
  readonly exchangeParty: string;
  readonly clock: Clock;
}

export function createApprovalCheck({ keys, party, exchangeParty, clock }: ApprovalCheckOptions): ApprovalCheck {
  // Each hop is looked at several times, and each of a chain has the same approvals.
  const verified = createVerifiedSignatures(limits.approvalsVerifiedMax);
  return {
    errorOf: (envelope) => {
      // The exchange's own chain decides what is approved; no data is near it.
      if (party === exchangeParty && envelope.chain?.id === "" && envelope.party === party) return undefined;
      const { chain, approvals } = envelope;
      const missing = (chain?.providers ?? []).find((name) => !approvals.some(({ provider }) => provider === name));
      if (missing !== undefined || approvals.length === 0) {
        const message = `there is no approval of ${missing ?? envelope.party}`;
        return new DynamosError(ErrorCode.APPROVAL_INVALID, message);
      }
      for (const approval of approvals) {
        const error = approvalError(approval, envelope, { keys, nowMs: clock.now(), verified });
        if (error !== undefined) return error;
      }
      const problem = mayLeave(envelope);
      return problem === undefined ? undefined : new DynamosError(ErrorCode.DENIED, problem);
    },
  };
}
