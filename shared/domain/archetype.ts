/** Where an archetype computes. */
import type { Archetype } from "#contracts";
import { compareNames } from "./by-name.ts";

/** `dataProvider` computes at home; anything else means a third party, so that what is unclear never counts as home. */
export function usesThirdParty(archetype: Archetype): boolean {
  return archetype.computeProvider !== "dataProvider";
}

/** The lightest first; the name decides among equals. */
export function byWeight(archetypes: readonly Archetype[]): Archetype[] {
  return [...archetypes].sort((a, b) => a.weight - b.weight || compareNames(a.name, b.name));
}
