/** The loads that a plan was decided on: kept in it, so that it is never judged by other ones. */
import type { Knowledge, Party, PartyLoad, Plan } from "#contracts";
import { compareNames } from "./by-name.ts";
import { mayCompute } from "./group.ts";

/** What a plan that is made on this knowledge was decided on. */
export function loadsDecidedOn(providers: readonly string[], knowledge: Knowledge): PartyLoad[] {
  return knowledge.parties
    .flatMap(({ name, load }) => {
      const counts = load !== undefined && (providers.includes(name) || mayCompute(name, knowledge));
      return counts ? [{ party: name, load }] : [];
    })
    .sort((a, b) => compareNames(a.party, b.party));
}

/** Knowledge as a running plan would see it: load goes up and down, and must never plan anything again. */
export function withLoadsOf({ loads }: Pick<Plan, "loads">, knowledge: Knowledge): Knowledge {
  const byParty = new Map(loads.map(({ party, load }) => [party, load]));
  return { ...knowledge, parties: knowledge.parties.map((party) => withLoad(party, byParty.get(party.name))) };
}

/** @param knowledge to compare policies in: what does not depend on the moment */
export function withoutLoads(knowledge: Knowledge): Knowledge {
  return withLoadsOf({ loads: [] }, knowledge);
}

function withLoad({ load: _, ...party }: Party, load: number | undefined): Party {
  return load === undefined ? party : { ...party, load };
}
