/** The plan of a query: who runs what, where, and why; and the envelopes that start it. */
import {
  type Chain,
  type Decision,
  ErrorCode,
  type Knowledge,
  type Plan,
  type Query,
  type Reason,
  type Refusal,
  type RequestType,
  Role,
  type Verdict,
} from "#contracts";
import { compareNames, sortedNames } from "./by-name.ts";
import { type Approved, type Group, isOnline } from "./group.ts";
import { loadsDecidedOn } from "./plan-loads.ts";
import { placedReasons, refused } from "./policy.ts";
import { gatherChainId } from "./route.ts";
import { type Selection, select } from "./select.ts";

/**
 * @param decision what policy says of each provider asked
 * @param knowledge parties, archetypes, request types and steps
 * @param attempt from 1; one more each time that the query is planned again
 * @returns a plan for at least one provider, with a verdict for each one asked; or why nobody can be asked
 */
export function makePlan(query: Query, decision: Decision, knowledge: Knowledge, attempt: number): Plan | Refusal {
  const verdicts = sortedNames(query.providers).map((provider) => verdictOn(provider, decision, knowledge));
  const approved = verdicts.flatMap(approvedBy);
  if (approved.length === 0) {
    return { reasons: placedReasons(verdicts) };
  }
  const requestType = knowledge.requestTypes.find(({ name }) => name === query.requestType);
  if (requestType === undefined) {
    return unknownRequestType(query.requestType);
  }
  const misspelt = unknownOptions(query, requestType);
  if (misspelt.length > 0) {
    return { reasons: misspelt };
  }
  const selection = select({ approved, knowledge, requestType, options: query.options });
  if ("reasons" in selection) {
    return { reasons: [...selection.reasons, ...placedReasons(verdicts)] };
  }
  return {
    queryId: query.id,
    attempt,
    choices: selection.chosen.map(({ choice }) => choice),
    chains: chainsOf(selection),
    verdicts: verdicts.map(
      (verdict) => selection.refused.find(({ provider }) => provider === verdict.provider) ?? verdict,
    ),
    loads: loadsDecidedOn(query.providers, knowledge),
  };
}

/** Policy's verdict, unless nobody is there to carry it out. */
function verdictOn(provider: string, decision: Decision, knowledge: Knowledge): Verdict {
  const verdict = decision.verdicts.find((one) => one.provider === provider);
  if (verdict?.decision === undefined) {
    return refused(provider, [
      { code: ErrorCode.DENIED, clause: "", message: `policy says nothing about ${provider}` },
    ]);
  }
  if (verdict.decision.$case === "terms" && !isOnline(provider, knowledge)) {
    return refused(provider, [{ code: ErrorCode.PROVIDER_OFFLINE, clause: "", message: `${provider} is offline` }]);
  }
  return verdict;
}

function approvedBy({ provider, decision }: Verdict): Approved[] {
  return decision?.$case === "terms" ? [{ provider, terms: decision.value }] : [];
}

function unknownRequestType(name: string): Refusal {
  return {
    reasons: [
      { code: ErrorCode.INVALID_REQUEST, clause: "", message: `there is no request type named ${name || "(none)"}` },
    ],
  };
}

/** A misspelt flag must not be taken for one that was not set: `anonymise` would hand out what should be hidden. */
function unknownOptions(query: Query, { optionalSteps }: RequestType): Reason[] {
  const known = sortedNames(["aggregate", "split", ...Object.values(optionalSteps)]);
  return sortedNames(Object.keys(query.options))
    .filter((option) => !known.some((one) => one.toLowerCase() === option.toLowerCase()))
    .map((option) => ({
      code: ErrorCode.INVALID_REQUEST,
      clause: "",
      message: `there is no option ${option.slice(0, 64)}; ${query.requestType} has ${known.join(", ")}`,
    }));
}

/** The providers' chains, then those that gather their tables. */
function chainsOf(selection: Selection): Chain[] {
  const taken = new Map<string, number>();
  const placed = selection.chosen.map(({ group }) => ({ group, gatherId: gatherIdOf(group, taken) }));
  return [
    ...placed
      .flatMap(({ group, gatherId }) => providerChains(group, gatherId))
      .sort((a, b) => compareNames(a.party, b.party)),
    ...placed.flatMap(({ group, gatherId }) => (gatherId === "" ? [] : [gatherChain(group, gatherId)])),
  ];
}

/** Split by steward, a party may gather for several groups; each of its chains needs its own id. */
function gatherIdOf({ computeProvider }: Group, taken: Map<string, number>): string {
  if (computeProvider === "") {
    return "";
  }
  const count = (taken.get(computeProvider) ?? 0) + 1;
  taken.set(computeProvider, count);
  return count === 1 ? gatherChainId(computeProvider) : `${gatherChainId(computeProvider)}-${count}`;
}

function providerChains({ archetype, providerSteps }: Group, gatherId: string): Chain[] {
  return providerSteps.map(({ provider, steps }) => ({
    id: provider,
    party: provider,
    role: gatherId === "" ? Role.ALL : Role.DATA_PROVIDER,
    archetype: archetype.name,
    steps: [...steps],
    providers: [provider],
    gatherAt: gatherId,
  }));
}

function gatherChain({ archetype, computeProvider, members, gatherSteps }: Group, id: string): Chain {
  return {
    id,
    party: computeProvider,
    role: Role.COMPUTE_PROVIDER,
    archetype: archetype.name,
    steps: [...gatherSteps],
    providers: members.map(({ provider }) => provider),
    gatherAt: "",
  };
}
