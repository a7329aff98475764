/** What would make a plan of a request whose providers policy allows, but that can't run as it is. */
import type { Archetype, Decision, Knowledge, Relation } from "#contracts";
import { byWeight, usesThirdParty } from "../archetype.ts";
import { sortedNames } from "../by-name.ts";
import { isOnline, mayCompute } from "../group.ts";
import { limits } from "../limits.ts";
import { makePlan } from "../plan.ts";
import { approvalsOf, evaluate } from "../policy.ts";
import { type Edit, edited, type Situation } from "./situation.ts";

/** All of its edits together. */
export type PlanRemedy = readonly Edit[];

/** Each of them was tried: with it the request would run. The fewest edits first. */
export function planRemedies(situation: Situation, decision: Decision): PlanRemedy[] {
  const allowed = decision.approvals.map(({ provider }) => provider);
  if (allowed.length === 0) return [];
  const absent = allowed.filter((name) => !isOnline(name, situation.knowledge));
  const presence = absent.map((party): Edit => ({ at: "presence", party }));
  const moves: PlanRemedy[] = [
    [],
    ...requestEdits(situation),
    ...byWeight(situation.knowledge.archetypes).flatMap((archetype) => archetypeEdits(archetype, allowed, situation)),
  ];
  const candidates = [...presence.map((edit) => [edit]), ...moves, ...moves.map((edits) => [...presence, ...edits])];
  return candidates
    .filter((edits) => edits.length > 0)
    .filter((edits, index, all) => all.findIndex((one) => isSame(one, edits)) === index)
    .filter((edits) => runs(edited(situation, edits)))
    .sort((a, b) => a.length - b.length)
    .slice(0, limits.planRemediesMax);
}

function isSame(a: PlanRemedy, b: PlanRemedy): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function runs({ query, knowledge, nowMs }: Situation): boolean {
  const verdicts = sortedNames(query.providers).map((provider) => evaluate(query, provider, knowledge, nowMs));
  return "chains" in makePlan(query, { verdicts, approvals: approvalsOf(query, verdicts, 0) }, knowledge, 1);
}

/** Options left out, one by one and all; another request type; one provider fewer. */
function requestEdits({ query, knowledge }: Situation): PlanRemedy[] {
  const names = Object.keys(query.options);
  const without = (left: readonly string[]): PlanRemedy => [
    { at: "request", set: { options: Object.fromEntries(left.map((name) => [name, query.options[name] ?? false])) } },
  ];
  const providers = sortedNames(query.providers);
  return [
    ...names.map((name) => without(names.filter((one) => one !== name))),
    ...(names.length > 1 ? [without([])] : []),
    ...knowledge.requestTypes
      .filter(({ name }) => name !== query.requestType)
      .map(({ name }): PlanRemedy => [{ at: "request", set: { requestType: name } }]),
    ...(providers.length > 1
      ? providers.map(
          (name): PlanRemedy => [{ at: "request", set: { providers: providers.filter((one) => one !== name) } }],
        )
      : []),
  ];
}

/** What all of them would have to allow for this archetype, at each compute provider that could be taken. */
function archetypeEdits(archetype: Archetype, providers: readonly string[], { query, knowledge }: Situation): Edit[][] {
  const user = query.user?.name ?? "";
  const ofAll = providers.flatMap((party) => missingNames(party, user, knowledge, archetype));
  if (!usesThirdParty(archetype)) return [ofAll];
  return knowledge.parties
    .filter(({ name, roles }) => roles.length > 0 && mayCompute(name, knowledge))
    .map(({ name }) => [
      ...ofAll,
      ...providers.flatMap((party) => missingComputeProvider(party, user, knowledge, name)),
      ...(isOnline(name, knowledge) ? [] : [{ at: "presence", party: name } as const]),
    ]);
}

function missingNames(party: string, user: string, knowledge: Knowledge, archetype: Archetype): Edit[] {
  const { agreement, relation } = agreed(party, user, knowledge);
  const { name, resultRecipient } = archetype;
  const recipients = relation?.resultRecipients?.names;
  const isGivenElsewhere = recipients !== undefined && !recipients.includes(resultRecipient);
  return [
    ...(agreement?.archetypes.includes(name)
      ? []
      : [{ at: "agreement", party, field: "archetypes", add: name } as const]),
    ...(relation?.allowedArchetypes.includes(name)
      ? []
      : [{ at: "relation", party, field: "allowedArchetypes", add: name } as const]),
    ...(isGivenElsewhere && resultRecipient !== ""
      ? [{ at: "relation", party, field: "resultRecipients", add: resultRecipient } as const]
      : []),
  ];
}

function missingComputeProvider(party: string, user: string, knowledge: Knowledge, add: string): Edit[] {
  const { agreement, relation } = agreed(party, user, knowledge);
  return [
    ...(agreement?.computeProviders.includes(add)
      ? []
      : [{ at: "agreement", party, field: "computeProviders", add } as const]),
    ...(relation?.allowedComputeProviders.includes(add)
      ? []
      : [{ at: "relation", party, field: "allowedComputeProviders", add } as const]),
  ];
}

function agreed(party: string, user: string, knowledge: Knowledge) {
  const agreement = knowledge.agreements.find(({ name }) => name === party);
  const relation: Relation | undefined =
    agreement && Object.hasOwn(agreement.relations, user) ? agreement.relations[user] : undefined;
  return { agreement, relation };
}
