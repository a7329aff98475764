/**
 * Load in the choice of an archetype, as in the DYNAMOS thesis: who is at 80 % of its capacity or more is relieved.
 *
 * | provider     | third party  | asked        | computed           |
 * |--------------|--------------|--------------|--------------------|
 * | below        | any          | no aggregate | at home            |
 * | any          | below        | aggregate    | at the third party |
 * | any          | at or above  | aggregate    | at home            |
 * | at or above  | below        | any          | at the third party |
 * | at or above  | at or above  | any          | at home            |
 *
 * The provider is the most loaded of them. Where nobody is at 80 %, options and weights decide as if there were no load.
 */
import type { Knowledge } from "#contracts";
import { usesThirdParty } from "./archetype.ts";
import { type Group, namesOf } from "./group.ts";
import { isBusy, loadInWords, loadOf } from "./load.ts";

export interface Relief {
  readonly group: Group;
  readonly why: string;
  /** Why nothing is computed at the other place. */
  readonly otherPlace: string;
}

/**
 * @param planned what would run if load did not count
 * @param other the lightest that computes at the other place, which all allow and which can run: at home or at a third party
 * @returns what load decides; undefined: it has nothing to say
 */
export function relieve(planned: Group, other: Group | undefined, knowledge: Knowledge): Relief | undefined {
  if (other === undefined) return undefined;
  const [atHome, away] = usesThirdParty(planned.archetype) ? [other, planned] : [planned, other];
  const provider = mostLoaded(planned, knowledge);
  const thirdParty = { name: away.computeProvider, load: loadOf(away.computeProvider, knowledge) };
  const ofProvider = loadInWords(provider.name, provider.load);
  const ofThirdParty = loadInWords(thirdParty.name, thirdParty.load);
  const figures = `${ofProvider}, and ${ofThirdParty}`;
  if (isBusy(thirdParty.load)) {
    // At home anyway, and nobody there who is to be relieved.
    if (planned === atHome && !isBusy(provider.load)) return undefined;
    const why = `${figures}: ${away.computeProvider} is spared, and ${namesOf(atHome.members)} allow ${atHome.archetype.name}`;
    return { group: atHome, why, otherPlace: ofThirdParty };
  }
  if (planned === away || !isBusy(provider.load)) return undefined;
  const why = `${figures}: ${away.computeProvider} computes, and ${namesOf(away.members)} allow ${away.archetype.name}`;
  return { group: away, why, otherPlace: ofProvider };
}

/** The first by name among equals. */
function mostLoaded({ members }: Group, knowledge: Knowledge): { name: string; load: number | undefined } {
  const loads = members.map(({ provider }) => ({ name: provider, load: loadOf(provider, knowledge) }));
  return loads.reduce((most, one) => ((one.load ?? -1) > (most.load ?? -1) ? one : most));
}
