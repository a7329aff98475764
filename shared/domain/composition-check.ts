/**
 * Whether a message's chain is what its agreements and the catalogue make of the query. A step that is left out
 * (the anonymisation that is demanded, the algorithm that is allowed in place of rows) would be as good as a
 * change of the agreement; the chain is not signed, so each party composes it again.
 */
import { type Chain, type Envelope, type Knowledge, Role, type Terms } from "#contracts";
import { usesThirdParty } from "./archetype.ts";
import { listed } from "./by-name.ts";
import { compose } from "./compose.ts";

type Catalogue = Pick<Knowledge, "archetypes" | "requestTypes" | "steps">;

/** @returns what is not so, as a sentence, or undefined */
export function compositionProblem(envelope: Envelope, catalogue: Catalogue): string | undefined {
  const { chain, gather, approvals } = envelope;
  if (chain === undefined) return "there is no chain";
  const terms = approvals.flatMap((approval) => approval.terms ?? []);
  if (chain.role !== Role.DATA_PROVIDER) return chainProblem(chain, demandsOf(terms), envelope, catalogue);
  // What others of the union demand runs here too, and is not known here: a step more is no harm, a step less is.
  const own = demandsOf(terms);
  return (
    chainProblem(chain, [...own, ...chain.steps], envelope, catalogue) ??
    (gather && chainProblem(gather, [...own, ...gather.steps], envelope, catalogue))
  );
}

function chainProblem(
  chain: Chain,
  demandedSteps: readonly string[],
  { query }: Envelope,
  catalogue: Catalogue,
): string | undefined {
  const archetype = catalogue.archetypes.find(({ name }) => name === chain.archetype);
  const requestType = catalogue.requestTypes.find(({ name }) => name === query?.requestType);
  if (archetype === undefined || requestType === undefined) {
    const missing = archetype === undefined ? `archetype ${chain.archetype}` : `request type ${query?.requestType}`;
    return `there is no ${missing}`;
  }
  if (usesThirdParty(archetype) === (chain.role === Role.ALL)) {
    return `${chain.archetype} does not compute where the chain of ${chain.party} does`;
  }
  const question = { requestType, archetype, role: chain.role, demandedSteps, steps: catalogue.steps };
  const composed = compose({ ...question, options: query?.options ?? {} });
  if (composed.steps === undefined) {
    return `the chain of ${chain.party} can't be composed: ${composed.reasons.map(({ message }) => message).join("; ")}`;
  }
  return listed(composed.steps) === listed(chain.steps)
    ? undefined
    : `the chain of ${chain.party} is ${listed(composed.steps)}, not ${listed(chain.steps)}`;
}

function demandsOf(terms: readonly Terms[]): string[] {
  return terms.flatMap(({ demandedSteps }) => demandedSteps);
}
