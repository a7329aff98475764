/** The split rule: when nothing fits all providers, each runs the best archetype that it allows itself. */
import type { Archetype, Knowledge, Verdict } from "#contracts";
import { usesThirdParty } from "./archetype.ts";
import { compareNames } from "./by-name.ts";
import {
  type Approved,
  attempt,
  composeGroup,
  type Group,
  isOnline,
  mayCompute,
  mostHopefulFirst,
  type Setting,
} from "./group.ts";
import { limits } from "./limits.ts";
import { refused } from "./policy.ts";

export interface Split {
  /** Sorted by first provider. */
  readonly groups: readonly Group[];
  readonly refused: readonly Verdict[];
}

/**
 * @param archetypes the most preferred first
 * @param members sorted by provider
 */
export function splitBySteward(
  archetypes: readonly Archetype[],
  members: readonly Approved[],
  setting: Setting,
): Split {
  const byArchetype = new Map<Archetype, Approved[]>();
  const refusals: Verdict[] = [];
  for (const member of members) {
    const results = archetypes.map((archetype) => ({ archetype, result: attempt(archetype, [member], setting) }));
    const best = results.find(({ result }) => result.group !== undefined)?.archetype;
    if (best === undefined) {
      refusals.push(refused(member.provider, mostHopefulFirst(results.flatMap(({ result }) => result.reasons ?? []))));
    } else {
      byArchetype.set(best, [...(byArchetype.get(best) ?? []), member]);
    }
  }
  const groups = [...byArchetype].flatMap(([archetype, own]) =>
    usesThirdParty(archetype) ? atThirdParties(archetype, own, setting) : atHome(archetype, own, setting),
  );
  const firstOf = (group: Group) => group.members[0]?.provider ?? "";
  return { groups: groups.sort((a, b) => compareNames(firstOf(a), firstOf(b))), refused: refusals };
}

function atHome(archetype: Archetype, members: readonly Approved[], setting: Setting): Group[] {
  const { group } = composeGroup({ archetype, members, computeProvider: "" }, setting);
  return group === undefined ? [] : [group];
}

/** As few groups as a greedy cover gives: the compute provider with most members first, ties by name. */
function atThirdParties(archetype: Archetype, members: readonly Approved[], setting: Setting): Group[] {
  const groups: Group[] = [];
  let rest = members;
  while (rest.length > 0) {
    const largest = mostTrusted(rest, setting.knowledge)
      .flatMap((name) => largestGroup(archetype, rest, name, setting) ?? [])
      .reduce<Group | undefined>(
        (a, b) => (a !== undefined && a.members.length >= b.members.length ? a : b),
        undefined,
      );
    if (largest === undefined) {
      break;
    }
    groups.push(largest);
    rest = rest.filter((member) => !largest.members.includes(member));
  }
  return groups;
}

/** The online compute providers that most members allow, and no more of them than can be tried in time. */
function mostTrusted(members: readonly Approved[], knowledge: Knowledge): string[] {
  const allowing = new Map<string, number>();
  for (const name of members.flatMap(({ terms }) => terms.computeProviders)) {
    allowing.set(name, (allowing.get(name) ?? 0) + 1);
  }
  return [...allowing]
    .filter(([name]) => isOnline(name, knowledge) && mayCompute(name, knowledge))
    .sort(([a, countA], [b, countB]) => countB - countA || compareNames(a, b))
    .map(([name]) => name)
    .slice(0, limits.splitCandidatesMax);
}

/** Members join in order as long as what they demand together still makes one chain. */
function largestGroup(
  archetype: Archetype,
  members: readonly Approved[],
  computeProvider: string,
  setting: Setting,
): Group | undefined {
  const allowing = members.filter(({ terms }) => terms.computeProviders.includes(computeProvider));
  const all = composeGroup({ archetype, members: allowing, computeProvider }, setting).group;
  if (all !== undefined) {
    return all;
  }
  let largest: Group | undefined;
  for (const member of allowing) {
    const joined = [...(largest?.members ?? []), member];
    largest = composeGroup({ archetype, members: joined, computeProvider }, setting).group ?? largest;
  }
  return largest;
}
