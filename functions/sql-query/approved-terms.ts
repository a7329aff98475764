/** The look at the approval where the data is, before any of it is opened. */
import { type Envelope, ErrorCode, type Terms } from "#contracts";
import { DynamosError } from "#errors";

/**
 * The terms of this party's approval of this query.
 * The signature will be verified here, and the party's own agreement evaluated again.
 *
 * @throws DynamosError ENVELOPE_INVALID, DENIED
 */
export function approvedTerms({ query, queryId, party, approvals, chain }: Envelope, nowMs: number): Terms {
  if (query === undefined) {
    throw new DynamosError(ErrorCode.ENVELOPE_INVALID, "the envelope has no query");
  }
  const approval = approvals.find(({ provider }) => provider === party);
  const terms = approval?.terms;
  if (approval === undefined || terms === undefined) {
    throw denied(`${party} has given no approval`);
  }
  if (approval.queryId !== queryId || query.id !== queryId) throw denied("the approval is of another query");
  if (approval.user?.name !== query.user?.name || approval.user?.id !== query.user?.id)
    throw denied("the approval is of another user");
  if (approval.expiresAtMs < nowMs) throw denied("the approval has expired");
  if (chain !== undefined && !terms.archetypes.includes(chain.archetype))
    throw denied(`${party} does not allow ${chain.archetype}`);
  return terms;
}

function denied(message: string): DynamosError {
  return new DynamosError(ErrorCode.DENIED, message);
}
