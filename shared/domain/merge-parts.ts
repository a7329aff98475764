/** One envelope for the compute provider's first step, out of one part per provider. */
import type { Chain, Envelope } from "#contracts";
import { compareNames } from "./by-name.ts";

/** @param parts one per provider, in any order; the merged inputs are sorted by provider */
export function mergeParts(gather: Chain, parts: readonly Envelope[]): Envelope {
  const sorted = [...parts].sort((a, b) => compareNames(a.party, b.party));
  const first = sorted[0];
  if (first === undefined) {
    throw new RangeError("a gather without parts");
  }
  return {
    ...first,
    party: gather.party,
    step: gather.steps[0] ?? "",
    hop: 0,
    part: undefined,
    chain: gather,
    gather: undefined,
    approvals: sorted.flatMap((part) => part.approvals),
    inputs: sorted.flatMap((part) => part.inputs),
    trail: sorted.flatMap((part) => part.trail),
    knowledge: undefined,
  };
}
