/** What would have to change for one provider's refusal to become an approval, clause by clause. */
import type { Archetype } from "#contracts";
import { byWeight } from "../archetype.ts";
import { commonNames, sortedNames } from "../by-name.ts";
import { type ClauseQuestion, clauseChecks, dataSetsAsked, rowsAlgorithm } from "../clause-checks.ts";
import { nearestName } from "../nearest-name.ts";
import { questionOf } from "../policy.ts";
import { type Edit, emptyRelation, type Situation } from "./situation.ts";

/** Each alternative alone makes its clause hold: the steward's move, or the asker's. */
export interface Remedy {
  /** Name of the clause. */
  readonly clause: string;
  readonly alternatives: readonly (readonly Edit[])[];
}

/** @returns for each clause that fails; with one alternative of each, the provider allows the query */
export function remediesOf(situation: Situation, provider: string): Remedy[] {
  const { query, knowledge, nowMs } = situation;
  const { question } = questionOf(query, provider, knowledge, nowMs);
  if (question === undefined) return [withoutRelation(situation, provider)];
  return clauseChecks
    .filter((check) => check.reasons(question).length > 0)
    .map(({ name }) => ({ clause: name, alternatives: (alternatives[name] ?? none)(question).filter(isSome) }));
}

type Alternatives = (question: ClauseQuestion) => (readonly Edit[] | undefined)[];

const none: Alternatives = () => [];
const isSome = (edits: readonly Edit[] | undefined): edits is readonly Edit[] => edits !== undefined;

const alternatives: Readonly<Record<string, Alternatives>> = {
  // Whom it is bound to is not said, only that it could be the asker.
  userId: ({ query, provider }) => [[{ at: "relation", party: provider, field: "id", set: query.user?.id ?? "" }]],
  validity: ({ relation: { validFromMs, validUntilMs }, provider, nowMs }) => {
    const isEarly = validFromMs !== undefined && nowMs < validFromMs;
    const isLate = validUntilMs !== undefined && nowMs >= validUntilMs;
    const taken = (field: "validFromMs" | "validUntilMs"): Edit => ({
      at: "relation",
      party: provider,
      field,
      remove: true,
    });
    const canWait = isEarly && (validUntilMs === undefined || validFromMs < validUntilMs);
    return [
      [...(isEarly ? [taken("validFromMs")] : []), ...(isLate ? [taken("validUntilMs")] : [])],
      canWait ? [{ at: "time", untilMs: validFromMs }] : undefined,
    ];
  },
  requestTypes: ({ query, relation, provider }) => {
    const [other] = sortedNames(relation.requestTypes);
    return [
      [{ at: "relation", party: provider, field: "requestTypes", add: query.requestType }],
      other === undefined ? undefined : [{ at: "request", set: { requestType: other } }],
    ];
  },
  dataSets: dataSetAlternatives,
  archetypes: (question) => [lightestArchetype(question)],
  resultRecipients: ({ relation, agreement, provider, archetypes }) => {
    const named = commonNames(agreement.archetypes, relation.allowedArchetypes);
    const recipient = archetypes.find(({ name, resultRecipient }) => named.includes(name) && resultRecipient !== "");
    return [
      recipient === undefined
        ? [{ at: "relation", party: provider, field: "resultRecipients", remove: true }]
        : [{ at: "relation", party: provider, field: "resultRecipients", add: recipient.resultRecipient }],
    ];
  },
  allowedAlgorithms: ({ query, relation, provider }) => {
    const [other] = sortedNames(relation.allowedAlgorithms?.names ?? []);
    const algorithm = other === rowsAlgorithm ? undefined : { name: other ?? "", column: "", groupBy: [] };
    const asked = query.algorithm?.name || rowsAlgorithm;
    return [
      [{ at: "relation", party: provider, field: "allowedAlgorithms", add: asked }],
      other === undefined ? undefined : [{ at: "request", set: { algorithm } }],
    ];
  },
  purposes: ({ query, relation, provider }) => {
    const [other] = sortedNames(relation.purposes?.names ?? []).filter((name) => name !== "");
    return [
      query.purpose === ""
        ? [{ at: "relation", party: provider, field: "purposes", remove: true }]
        : [{ at: "relation", party: provider, field: "purposes", add: query.purpose }],
      other === undefined ? undefined : [{ at: "request", set: { purpose: other } }],
    ];
  },
  queriesPerPeriod: ({ relation: { queriesPerPeriod, validUntilMs }, provider, usage, nowMs }) => {
    const { max = 0, periodMs = 1 } = queriesPerPeriod ?? {};
    const nextMs = (Math.floor(nowMs / periodMs) + 1) * periodMs;
    const canWait = usage !== undefined && max > 0 && (validUntilMs === undefined || nextMs < validUntilMs);
    return [
      usage === undefined
        ? [{ at: "relation", party: provider, field: "queriesPerPeriod", remove: true }]
        : [{ at: "relation", party: provider, field: "queriesPerPeriod", set: usage.queries + 1 }],
      canWait ? [{ at: "time", untilMs: nextMs }] : undefined,
    ];
  },
};

/** The clauses that a remedy is known for: all of them, as a test says. */
export const remediedClauses: readonly string[] = Object.keys(alternatives);

function dataSetAlternatives(question: ClauseQuestion): (readonly Edit[] | undefined)[] {
  const { provider, relation, describedDataSets } = question;
  const asked = dataSetsAsked(question);
  const wanted = asked.length > 0 ? asked : sortedNames(describedDataSets).slice(0, 1);
  const usable = commonNames(relation.dataSets, describedDataSets);
  const mentioned = asked.filter((name) => usable.includes(name));
  const missing = wanted.length > 0 ? wanted : sortedNames(relation.dataSets).slice(0, 1);
  const described = missing.filter((name) => !describedDataSets.includes(name));
  return [
    [
      ...missing
        .filter((name) => !relation.dataSets.includes(name))
        .map((add): Edit => ({ at: "relation", party: provider, field: "dataSets", add })),
      ...(missing.length === 0 ? allNew(provider) : []),
      ...described.map((add): Edit => ({ at: "dataSets", party: provider, add })),
    ],
    usable.length === 0 ? undefined : [{ at: "request", set: { dataSets: mentioned.length > 0 ? mentioned : usable } }],
  ];
}

/** Of a provider that has no data at all and allows none. */
function allNew(provider: string): Edit[] {
  const add = "data";
  return [
    { at: "relation", party: provider, field: "dataSets", add },
    { at: "dataSets", party: provider, add },
  ];
}

/** Of the original; named where no archetype is defined at all. */
const homeArchetype = "computeToData";

function notDefined(name: string): Archetype {
  return { name, computeProvider: "", resultRecipient: "", weight: 0 };
}

/** The archetype that takes the fewest additions; of those the lightest. */
function lightestArchetype(question: ClauseQuestion): readonly Edit[] | undefined {
  const { archetypes, agreement, relation } = question;
  const undefinedName = [...agreement.archetypes, ...relation.allowedArchetypes].find((name) => name !== "");
  const candidates = archetypes.length > 0 ? byWeight(archetypes) : [notDefined(undefinedName ?? homeArchetype)];
  return candidates
    .map((archetype) => additionsOf(archetype, question))
    .reduce<readonly Edit[] | undefined>(
      (best, one) => (best === undefined || one.length < best.length ? one : best),
      undefined,
    );
}

function additionsOf({ name, resultRecipient }: Archetype, { agreement, relation, provider }: ClauseQuestion): Edit[] {
  const recipients = relation.resultRecipients?.names;
  const edits: Edit[] = [];
  if (!agreement.archetypes.includes(name)) {
    edits.push({ at: "agreement", party: provider, field: "archetypes", add: name });
  }
  if (!relation.allowedArchetypes.includes(name)) {
    edits.push({ at: "relation", party: provider, field: "allowedArchetypes", add: name });
  }
  if (recipients !== undefined && resultRecipient === "") {
    edits.push({ at: "relation", party: provider, field: "resultRecipients", remove: true });
  } else if (recipients !== undefined && !recipients.includes(resultRecipient)) {
    edits.push({ at: "relation", party: provider, field: "resultRecipients", add: resultRecipient });
  }
  return edits;
}

/** A relation as narrow as the query, or, where there is no such provider, one that is there. */
function withoutRelation({ query, knowledge }: Situation, provider: string): Remedy {
  const agreement = knowledge.agreements.find(({ name }) => name === provider);
  const others = query.providers.filter((name) => name !== provider);
  const known = knowledge.parties.filter(({ roles }) => !roles.includes("exchange")).map(({ name }) => name);
  const leftOut: Edit[] = others.length === 0 ? [] : [{ at: "request", set: { providers: others } }];
  if (agreement === undefined && !knowledge.parties.some(({ name }) => name === provider)) {
    const meant = nearestName(provider, known);
    const renamed: Edit[] = meant === undefined ? [] : [{ at: "request", set: { providers: [...others, meant] } }];
    return { clause: "provider", alternatives: [renamed, leftOut].filter((edits) => edits.length > 0) };
  }
  const described = knowledge.dataSets.filter(({ party }) => party === provider).map(({ name }) => name);
  const dataSets = sortedNames(query.dataSets.length > 0 ? query.dataSets : described);
  const archetypes = knowledge.archetypes.length > 0 ? knowledge.archetypes.map(({ name }) => name) : [homeArchetype];
  const agreed = commonNames(agreement?.archetypes ?? [], archetypes);
  const chosen = agreed.length > 0 ? agreed : sortedNames(archetypes).slice(0, 1);
  const relation = {
    ...emptyRelation,
    requestTypes: [query.requestType],
    dataSets: dataSets.length > 0 ? dataSets : ["data"],
    allowedArchetypes: chosen,
    allowedComputeProviders: [...(agreement?.computeProviders ?? [])],
  };
  const edits: Edit[] = [
    { at: "relations", party: provider, relation },
    ...(agreed.length > 0
      ? []
      : chosen.map((add): Edit => ({ at: "agreement", party: provider, field: "archetypes", add }))),
    ...relation.dataSets
      .filter((name) => !described.includes(name))
      .map((add): Edit => ({ at: "dataSets", party: provider, add })),
  ];
  return {
    clause: "relations",
    alternatives: [edits, leftOut].filter((one) => one.length > 0),
  };
}
