/** What a decision is made from, and changes of it. */
import type { Agreement, Knowledge, Query, Relation } from "#contracts";
import { sortedNames } from "../by-name.ts";

export interface Situation {
  readonly query: Query;
  readonly knowledge: Knowledge;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** Fields of a relation that hold names, where a change may be to add one. */
type NamesField =
  | "requestTypes"
  | "dataSets"
  | "allowedArchetypes"
  | "allowedAlgorithms"
  | "purposes"
  | "resultRecipients";

export type Edit =
  | { readonly at: "relation"; readonly party: string; readonly field: NamesField; readonly add: string }
  | { readonly at: "relation"; readonly party: string; readonly field: "id"; readonly set: string }
  | { readonly at: "relation"; readonly party: string; readonly field: "queriesPerPeriod"; readonly set: number }
  | { readonly at: "relation"; readonly party: string; readonly field: keyof Relation; readonly remove: true }
  | { readonly at: "relations"; readonly party: string; readonly relation: Relation }
  | {
      readonly at: "agreement";
      readonly party: string;
      readonly field: "archetypes" | "computeProviders";
      readonly add: string;
    }
  | {
      readonly at: "relation";
      readonly party: string;
      readonly field: "allowedComputeProviders";
      readonly add: string;
    }
  | { readonly at: "request"; readonly set: Partial<Query> }
  | { readonly at: "dataSets"; readonly party: string; readonly add: string }
  | { readonly at: "presence"; readonly party: string }
  | { readonly at: "time"; readonly untilMs: number };

/** The situation after the edits, in order. */
export function edited(situation: Situation, edits: readonly Edit[]): Situation {
  return edits.reduce(editedOnce, situation);
}

function editedOnce(situation: Situation, edit: Edit): Situation {
  const { query, knowledge, nowMs } = situation;
  switch (edit.at) {
    case "request":
      return { ...situation, query: { ...query, ...edit.set } };
    case "time":
      // Periods of a quota begin anew.
      return {
        ...situation,
        nowMs: Math.max(nowMs, edit.untilMs),
        knowledge: { ...knowledge, usage: knowledge.usage.map((usage) => ({ ...usage, queries: 0 })) },
      };
    case "dataSets": {
      const dataSet = { name: edit.add, party: edit.party, type: "", delimiter: "", tables: [], measure: undefined };
      return { ...situation, knowledge: { ...knowledge, dataSets: [...knowledge.dataSets, dataSet] } };
    }
    case "presence": {
      const others = knowledge.parties.filter(({ name }) => name !== edit.party);
      const roles = knowledge.parties.find(({ name }) => name === edit.party)?.roles ?? [];
      return {
        ...situation,
        knowledge: { ...knowledge, parties: [...others, { name: edit.party, roles, online: true }] },
      };
    }
    default:
      return { ...situation, knowledge: withAgreement(knowledge, edit, query.user?.name ?? "") };
  }
}

type AgreementEdit = Extract<Edit, { at: "relation" | "relations" | "agreement" }>;

function withAgreement(knowledge: Knowledge, edit: AgreementEdit, user: string): Knowledge {
  const agreement = knowledge.agreements.find(({ name }) => name === edit.party) ?? emptyAgreement(edit.party);
  const others = knowledge.agreements.filter(({ name }) => name !== edit.party);
  return { ...knowledge, agreements: [...others, editedAgreement(agreement, edit, user)] };
}

function editedAgreement(agreement: Agreement, edit: AgreementEdit, user: string): Agreement {
  if (edit.at === "agreement") {
    return { ...agreement, [edit.field]: sortedNames([...agreement[edit.field], edit.add]) };
  }
  const relation = edit.at === "relations" ? edit.relation : editedRelation(agreement.relations[user], edit);
  // fromEntries makes own properties of every name, `__proto__` too.
  const others = Object.entries(agreement.relations).filter(([name]) => name !== user);
  return { ...agreement, relations: Object.fromEntries([...others, [user, relation]]) };
}

function editedRelation(relation: Relation | undefined, edit: Extract<Edit, { at: "relation" }>): Relation {
  const before = relation ?? emptyRelation;
  if ("remove" in edit) return { ...before, [edit.field]: emptyRelation[edit.field] };
  switch (edit.field) {
    case "id":
      return { ...before, id: edit.set };
    case "queriesPerPeriod":
      return {
        ...before,
        queriesPerPeriod: before.queriesPerPeriod && { ...before.queriesPerPeriod, max: edit.set },
      };
    case "allowedAlgorithms":
    case "purposes":
    case "resultRecipients":
      return { ...before, [edit.field]: { names: sortedNames([...(before[edit.field]?.names ?? []), edit.add]) } };
    default:
      return { ...before, [edit.field]: sortedNames([...before[edit.field], edit.add]) };
  }
}

/** A relation without any demand, and without anything allowed. */
export const emptyRelation: Relation = {
  id: "",
  requestTypes: [],
  dataSets: [],
  allowedArchetypes: [],
  allowedComputeProviders: [],
  allowedAlgorithms: undefined,
  allowedColumns: undefined,
  validFromMs: undefined,
  validUntilMs: undefined,
  deniedColumns: undefined,
  rowFilters: [],
  aggregatesOnly: false,
  minimumGroupSize: 0,
  purposes: undefined,
  queriesPerPeriod: undefined,
  resultRecipients: undefined,
  maximumRows: undefined,
};

function emptyAgreement(name: string): Agreement {
  return { name, relations: {}, computeProviders: [], archetypes: [], demandedSteps: {}, revision: 0 };
}
