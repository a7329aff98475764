/** The last look before something leaves a party: does the approval cover where it goes? */
import { type Envelope, Role } from "#contracts";

/** @returns why it may not leave, or undefined when it may */
export function mayLeave(envelope: Envelope): string | undefined {
  const chain = envelope.chain;
  if (chain === undefined || chain.id === "") {
    return undefined;
  }
  for (const provider of chain.providers) {
    const terms = envelope.approvals.find(
      (approval) => approval.provider === provider && approval.queryId === envelope.queryId,
    )?.terms;
    if (terms === undefined) {
      return `no approval of ${provider} for this query`;
    }
    if (!terms.archetypes.includes(chain.archetype)) {
      return `${provider} does not allow ${chain.archetype}`;
    }
    const computesAt = envelope.gather?.party ?? (chain.role === Role.COMPUTE_PROVIDER ? chain.party : undefined);
    if (computesAt !== undefined && !terms.computeProviders.includes(computesAt)) {
      return `${provider} does not allow ${computesAt} as a compute provider`;
    }
  }
  return undefined;
}
