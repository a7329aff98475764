/** Providers that run one archetype together, and the chains that this takes. */
import { type Archetype, ErrorCode, type Knowledge, type Reason, type RequestType, Role, type Terms } from "#contracts";
import { usesThirdParty } from "./archetype.ts";
import { commonNames, listed, sortedNames } from "./by-name.ts";
import { type Composition, compose, compositionReason, linkProblem } from "./compose.ts";
import { isBusy, loadInWords, loadOf } from "./load.ts";

export interface Approved {
  readonly provider: string;
  readonly terms: Terms;
}

/** What stays the same while archetypes and groups are tried. */
export interface Setting {
  readonly knowledge: Knowledge;
  readonly requestType: RequestType;
  readonly options: Readonly<Record<string, boolean>>;
}

export interface Group {
  readonly archetype: Archetype;
  /** The third party; empty when each provider computes at home. */
  readonly computeProvider: string;
  /** Sorted by provider. */
  readonly members: readonly Approved[];
  /** In the order of `members`. */
  readonly providerSteps: readonly { readonly provider: string; readonly steps: readonly string[] }[];
  /** Empty when each provider computes at home. */
  readonly gatherSteps: readonly string[];
  /** Sentences: which steps run at whom only because another steward of the union demands them. */
  readonly sharedDemands: readonly string[];
  /** Sentences: which parties that all allow to compute were not asked to: they are no compute providers, or busy. */
  readonly passedOver: readonly string[];
}

/** In lower case: the original writes roles in two spellings. */
const computeRole = "computeprovider";

export type Attempt =
  | { readonly group: Group; readonly reasons?: never }
  | { readonly reasons: Reason[]; readonly group?: never };

/** Whether these providers can run this archetype together: allowed by all, composable, third party online. */
export function attempt(archetype: Archetype, members: readonly Approved[], setting: Setting): Attempt {
  const forbidding = members.filter(({ terms }) => !terms.archetypes.includes(archetype.name));
  if (forbidding.length > 0) {
    return { reasons: forbidding.map(({ provider }) => noCommon(`${provider} does not allow ${archetype.name}`)) };
  }
  if (!usesThirdParty(archetype)) {
    return composeGroup({ archetype, members, computeProvider: "" }, setting);
  }
  const allowed = commonComputeProviders(members);
  if (allowed.length === 0) {
    return { reasons: [noCommonComputeProvider(archetype, members)] };
  }
  const passedOver = allowed.filter((name) => !mayCompute(name, setting.knowledge)).map(noComputeProvider);
  const candidates = allowed.filter((name) => mayCompute(name, setting.knowledge));
  if (candidates.length === 0) {
    return { reasons: [noCommon(`${archetype.name} needs a compute provider: ${passedOver.join("; ")}`)] };
  }
  const { online, busy } = firstWithRoom(candidates, setting.knowledge);
  const composed = composeGroup({ archetype, members, computeProvider: online ?? candidates[0] ?? "" }, setting);
  // Offline is only worth saying when nothing else is in the way.
  return composed.group !== undefined && online === undefined
    ? { reasons: [offline(archetype, candidates)] }
    : composed.group === undefined
      ? composed
      : { group: { ...composed.group, passedOver: [...passedOver, ...busy] } };
}

/** Of those online; where all of them are busy, the first. @returns with the sentences about those before it */
function firstWithRoom(candidates: readonly string[], knowledge: Knowledge): { online?: string; busy: string[] } {
  const here = candidates.filter((name) => isOnline(name, knowledge));
  const index = here.findIndex((name) => !isBusy(loadOf(name, knowledge)));
  const online = here[Math.max(index, 0)];
  const before = here.slice(0, Math.max(index, 0));
  return { ...(online && { online }), busy: before.map((name) => loadInWords(name, loadOf(name, knowledge))) };
}

/** @param plan members sorted by provider, all of whom allow the archetype and the compute provider */
export function composeGroup(
  plan: Pick<Group, "archetype" | "computeProvider" | "members">,
  setting: Setting,
): Attempt {
  const { archetype, computeProvider, members } = plan;
  const atHome = computeProvider === "";
  const run = (role: Role, demandedSteps: readonly string[]): Composition =>
    compose({ ...setting, steps: setting.knowledge.steps, archetype, role, demandedSteps });

  // What one steward demands holds for what is united: at the third party and before, at all who feed it.
  const demanded = members.flatMap(({ terms }) => terms.demandedSteps);
  const chains = members.map(({ provider, terms }) => ({
    provider,
    ...(atHome ? run(Role.ALL, terms.demandedSteps) : run(Role.DATA_PROVIDER, demanded)),
  }));
  const gather = atHome ? { steps: [] } : run(Role.COMPUTE_PROVIDER, demanded);
  const reasons = reasonsByPlace([...chains, ...(atHome ? [] : [{ provider: computeProvider, ...gather }])]);
  if (reasons.length > 0) {
    return { reasons };
  }
  const providerSteps = chains.map(({ provider, steps = [] }) => ({ provider, steps }));
  const gatherSteps = gather.steps ?? [];
  const gaps = atHome
    ? []
    : providerSteps.flatMap(({ steps }) => linkProblem(steps, gatherSteps, setting.knowledge.steps) ?? []);
  if (gaps.length > 0) {
    return { reasons: withoutRepeats(gaps) };
  }
  const sharedDemands = atHome
    ? []
    : members.flatMap(({ provider, terms }, index) => {
        const own = run(Role.DATA_PROVIDER, terms.demandedSteps).steps ?? [];
        const added = (providerSteps[index]?.steps ?? []).filter((step) => !own.includes(step));
        return added.map(
          (step) => `${step} runs at ${provider} too, as ${demandersOf(step, members)} demands it of what is united`,
        );
      });
  return { group: { ...plan, providerSteps, gatherSteps, sharedDemands, passedOver: [] } };
}

function demandersOf(step: string, members: readonly Approved[]): string {
  return namesOf(members.filter(({ terms }) => terms.demandedSteps.includes(step)));
}

export function isOnline(party: string, knowledge: Knowledge): boolean {
  return knowledge.parties.some(({ name, online }) => name === party && online);
}

/** A party of which nothing is known may be one: it is offline, which is said of it. */
export function mayCompute(party: string, knowledge: Knowledge): boolean {
  const roles = knowledge.parties.filter(({ name }) => name === party).flatMap((one) => one.roles);
  return (
    !knowledge.parties.some(({ name }) => name === party) || roles.some((role) => role.toLowerCase() === computeRole)
  );
}

function noComputeProvider(name: string): string {
  return `${name} is allowed to compute, but is no computeProvider`;
}

export function commonComputeProviders(members: readonly Approved[]): string[] {
  return members.map(({ terms }) => terms.computeProviders).reduce((common, own) => commonNames(common, own));
}

export function namesOf(members: readonly Approved[]): string {
  return listed(members.map(({ provider }) => provider));
}

const hope = [ErrorCode.COMPUTE_PROVIDER_OFFLINE, ErrorCode.COMPOSITION_INVALID, ErrorCode.NO_COMMON_ARCHETYPE];

/** The reason that is easiest to mend comes first: the first one gives a refusal its status. */
export function mostHopefulFirst(reasons: readonly Reason[]): Reason[] {
  return withoutRepeats(reasons).sort((a, b) => hope.indexOf(a.code) - hope.indexOf(b.code));
}

/** What is in the way at several archetypes or parties is said once. */
export function withoutRepeats(reasons: readonly Reason[]): Reason[] {
  return [...new Map(reasons.map((reason) => [`${reason.code} ${reason.clause} ${reason.message}`, reason])).values()];
}

/** Each reason once; where it does not hold at all of them, with those at whom it does. */
function reasonsByPlace(chains: readonly ({ readonly provider: string } & Composition)[]): Reason[] {
  const all = chains.flatMap(({ provider, reasons = [] }) => reasons.map((reason) => ({ provider, reason })));
  return [...new Set(all.map(({ reason }) => reason.message))].map((message) => {
    const places = sortedNames(all.filter(({ reason }) => reason.message === message).map(({ provider }) => provider));
    return compositionReason(places.length === chains.length ? message : `${message} (at ${listed(places)})`);
  });
}

function noCommon(message: string): Reason {
  return { code: ErrorCode.NO_COMMON_ARCHETYPE, clause: "", message };
}

function noCommonComputeProvider(archetype: Archetype, members: readonly Approved[]): Reason {
  const each = members.map(({ provider, terms }) => `${provider} allows ${listed(terms.computeProviders)}`);
  return noCommon(`${archetype.name} needs one compute provider that all allow: ${each.join("; ")}`);
}

function offline(archetype: Archetype, candidates: readonly string[]): Reason {
  const message = `${archetype.name} needs a compute provider, and none is online of ${listed(candidates)}`;
  return { code: ErrorCode.COMPUTE_PROVIDER_OFFLINE, clause: "", message };
}
