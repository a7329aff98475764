/** Whether what was approved when a query began is still agreed: at each hop, and whenever an agreement changes. */
import { type Envelope, ErrorCode, type Knowledge, Role } from "#contracts";
import { DynamosError } from "#errors";
import { compositionProblem } from "./composition-check.ts";
import { evaluateAgain } from "./policy.ts";
import { stillCovers, type TermsUse } from "./same-terms.ts";

/**
 * @param knowledge of every provider whose approval the envelope carries and the catalogue
 * @returns REVOKED, naming the provider and what changed; undefined: it may go on
 */
export function revocationOf(envelope: Envelope, knowledge: Knowledge, nowMs: number): DynamosError | undefined {
  const { query, approvals } = envelope;
  if (query === undefined) return undefined;
  for (const { provider, terms } of approvals) {
    const { decision } = evaluateAgain(query, provider, knowledge, nowMs);
    if (decision?.$case !== "terms") {
      return revoked(decision?.value.reasons[0]?.message ?? `${provider} does not allow this any more`);
    }
    const change = terms && stillCovers(terms, decision.value, useOf(envelope));
    if (change !== undefined) return revoked(`${provider}: ${change}`);
  }
  const problem = approvals.length === 0 ? undefined : compositionProblem(envelope, knowledge);
  return problem === undefined ? undefined : revoked(problem);
}

/** Where an envelope's chain computes. */
export function useOf({ chain, gather }: Pick<Envelope, "chain" | "gather">): TermsUse {
  const atThirdParty = chain?.role === Role.COMPUTE_PROVIDER ? chain.party : "";
  return { archetype: chain?.archetype ?? "", computeProvider: gather?.party ?? atThirdParty };
}

function revoked(message: string): DynamosError {
  return new DynamosError(ErrorCode.REVOKED, message);
}
