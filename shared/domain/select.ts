/** Archetype selection: which archetype runs, for whom, and why. */
import {
  type Archetype,
  type Choice,
  type Considered,
  ErrorCode,
  type Reason,
  type Refusal,
  type Verdict,
} from "#contracts";
import { byWeight, usesThirdParty } from "./archetype.ts";
import { relieve } from "./by-load.ts";
import { compareNames, sortedNames } from "./by-name.ts";
import { aggregateOption } from "./compose.ts";
import {
  type Approved,
  type Attempt,
  attempt,
  type Group,
  mostHopefulFirst,
  namesOf,
  type Setting,
  withoutRepeats,
} from "./group.ts";
import { optionOf } from "./options.ts";
import { splitBySteward } from "./split.ts";

export interface SelectionQuestion extends Setting {
  /** Online providers that policy allows. */
  readonly approved: readonly Approved[];
}

export interface Selection {
  readonly chosen: readonly { readonly choice: Choice; readonly group: Group }[];
  /** Those for whom nothing could be found while others run. */
  readonly refused: readonly Verdict[];
}

interface Tried {
  readonly archetype: Archetype;
  readonly result: Attempt;
}

export const splitOption = "split";

/**
 * In order: what the options say, the lightest that all allow, one archetype for each steward. Where all allow more
 * than one, the load of those who would compute may decide otherwise.
 * An archetype that one steward forbids is never run with that steward's data: where the original
 * falls back to an archetype of any provider, this refuses.
 */
export function select(question: SelectionQuestion): Selection | Refusal {
  const members = [...question.approved].sort((a, b) => compareNames(a.provider, b.provider));
  if (members.length === 0) {
    return refusal([
      { code: ErrorCode.NO_COMMON_ARCHETYPE, clause: "", message: "there is no provider to choose for" },
    ]);
  }
  const tried = byWeight(question.knowledge.archetypes).map((archetype) => ({
    archetype,
    result: attempt(archetype, members, question),
  }));
  const aggregate = optionOf(question.options, aggregateOption);
  const common = byOption(tried, members, aggregate) ?? (aggregate === true ? undefined : byWeightRule(tried, members));
  return (
    byLoad(common, tried, question) ??
    common ??
    bySplit(tried, members, question) ??
    refusal(reasonsOf(tried, aggregate))
  );
}

function byOption(
  tried: readonly Tried[],
  members: readonly Approved[],
  aggregate: boolean | undefined,
): Selection | undefined {
  if (aggregate === undefined || (!aggregate && members.length === 1)) {
    return undefined;
  }
  const group = firstFeasible(tried.filter(({ archetype }) => usesThirdParty(archetype) === aggregate));
  if (group === undefined) {
    return undefined;
  }
  const place = aggregate ? `at a third party, ${group.computeProvider}` : "at home";
  const why = `the request asks to compute ${place}, and ${namesOf(members)} allow ${group.archetype.name}`;
  return { chosen: [chosen(group, "option", why, tried)], refused: [] };
}

function byWeightRule(tried: readonly Tried[], members: readonly Approved[]): Selection | undefined {
  const group = firstFeasible(tried);
  if (group === undefined) {
    return undefined;
  }
  const why = `${group.archetype.name} has the lowest weight (${group.archetype.weight}) of those that ${namesOf(members)} allow and that can run`;
  return { chosen: [chosen(group, "weight", why, tried)], refused: [] };
}

/** Not between the groups of a split: they have no archetype in common to choose among. */
function byLoad(
  common: Selection | undefined,
  tried: readonly Tried[],
  { knowledge }: SelectionQuestion,
): Selection | undefined {
  const planned = common?.chosen[0]?.group;
  if (planned === undefined) {
    return undefined;
  }
  const isAway = usesThirdParty(planned.archetype);
  const other = firstFeasible(tried.filter(({ archetype }) => usesThirdParty(archetype) !== isAway));
  const relief = relieve(planned, other, knowledge);
  return relief && { chosen: [chosen(relief.group, "load", relief.why, tried, relief.otherPlace)], refused: [] };
}

function bySplit(
  tried: readonly Tried[],
  members: readonly Approved[],
  question: SelectionQuestion,
): Selection | undefined {
  const aggregate = optionOf(question.options, aggregateOption);
  const wanted = optionOf(question.options, splitOption) ?? aggregate !== true;
  if (!wanted || members.length === 1) {
    return undefined;
  }
  const archetypes = tried.map(({ archetype }) => archetype);
  const preferred =
    aggregate === true
      ? [...archetypes].sort((a, b) => Number(usesThirdParty(b)) - Number(usesThirdParty(a)))
      : archetypes;
  const { groups, refused } = splitBySteward(preferred, members, question);
  if (groups.length === 0) {
    return undefined;
  }
  const obstacles = reasonsOf(tried, aggregate).map(({ message }) => message);
  return {
    chosen: groups.map((group) => {
      const own = archetypes.map((archetype) => ({ archetype, result: attempt(archetype, group.members, question) }));
      const why = `no archetype fits all (${obstacles.join("; ")}), so ${namesOf(group.members)} get the best that they allow`;
      return chosen(group, "split", why, own);
    }),
    refused,
  };
}

/** @param otherPlace why nothing is computed there, if load decided */
function chosen(
  group: Group,
  rule: string,
  why: string,
  tried: readonly Tried[],
  otherPlace?: string,
): { choice: Choice; group: Group } {
  const choice: Choice = {
    archetype: group.archetype.name,
    providers: group.members.map(({ provider }) => provider),
    computeProvider: group.computeProvider,
    rule,
    why: [why, ...group.sharedDemands].join("; "),
    considered: [
      ...tried
        .filter(({ archetype }) => archetype.name !== group.archetype.name)
        .map((other) => considered(other, group.archetype, otherPlace)),
      ...group.passedOver.map((reason) => ({ archetype: group.archetype.name, reason })),
      ...undefinedArchetypes(group.members, tried),
    ],
  };
  return { choice, group };
}

function considered({ archetype, result }: Tried, winner: Archetype, otherPlace: string | undefined): Considered {
  if (result.reasons !== undefined) {
    return { archetype: archetype.name, reason: result.reasons.map(({ message }) => message).join("; ") };
  }
  if (otherPlace !== undefined && usesThirdParty(archetype) !== usesThirdParty(winner)) {
    return { archetype: archetype.name, reason: otherPlace };
  }
  const [first] = byWeight([archetype, winner]);
  const reason =
    first === winner
      ? `weighs more than ${winner.name} (${archetype.weight}, ${winner.weight})`
      : `is not where the request asks to compute`;
  return { archetype: archetype.name, reason };
}

/** Agreements may name archetypes that nobody has defined; the original runs them as if at home. */
function undefinedArchetypes(members: readonly Approved[], tried: readonly Tried[]): Considered[] {
  const defined = new Set(tried.map(({ archetype }) => archetype.name));
  return sortedNames(members.flatMap(({ terms }) => terms.archetypes))
    .filter((name) => !defined.has(name))
    .map((archetype) => ({ archetype, reason: "is named in an agreement but not defined" }));
}

function firstFeasible(tried: readonly Tried[]): Group | undefined {
  return tried.find(({ result }) => result.group !== undefined)?.result.group;
}

function reasonsOf(tried: readonly Tried[], aggregate: boolean | undefined): Reason[] {
  const asked = tried.filter(({ archetype }) => aggregate !== true || usesThirdParty(archetype));
  const reasons = withoutRepeats(asked.flatMap(({ result }) => result.reasons ?? []));
  return reasons.length > 0
    ? reasons
    : [
        {
          code: ErrorCode.NO_COMMON_ARCHETYPE,
          clause: "",
          message: "no archetype is defined for what the request asks",
        },
      ];
}

function refusal(reasons: readonly Reason[]): Refusal {
  return { reasons: mostHopefulFirst(reasons) };
}
