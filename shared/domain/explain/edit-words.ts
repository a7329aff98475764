/** Edits in words and as data, for people and programs that are to make them. */
import { compareNames, listed } from "../by-name.ts";
import { relationClause } from "../clause-checks.ts";
import type { Edit } from "./situation.ts";

/** As an agreement's JSON spells them, where that differs. */
const jsonNames: Readonly<Record<string, string>> = { id: "ID", validFromMs: "validFrom", validUntilMs: "validUntil" };

/** @param user whose relation it is. @returns a sentence: who does what */
export function wordsOf(edit: Edit, user: string): string {
  switch (edit.at) {
    case "relation": {
      const where = relationClause(user, jsonName(edit.field));
      if ("add" in edit) return `${edit.party} adds ${edit.add} to ${where}`;
      if ("remove" in edit) return `${edit.party} takes ${where} away, or sets it to what allows this`;
      if (edit.field === "id") return `${edit.party} sets ${where} to ${edit.set === "" ? "nobody's" : edit.set}`;
      return `${edit.party} sets ${where}.max to ${edit.set}`;
    }
    case "relations": {
      const { requestTypes, dataSets, allowedArchetypes } = edit.relation;
      return `${edit.party} agrees ${relationClause(user)} with request type ${listed(requestTypes)}, data sets ${listed(dataSets)} and archetypes ${listed(allowedArchetypes)}`;
    }
    case "agreement":
      return `${edit.party} adds ${edit.add} to ${edit.field}`;
    case "request":
      return requestWords(edit.set);
    case "dataSets":
      return `${edit.party} describes a data set named ${edit.add}`;
    case "presence":
      return `${edit.party} comes online`;
    case "time":
      return `ask again from ${new Date(edit.untilMs).toISOString()} on`;
  }
}

function requestWords(set: Extract<Edit, { at: "request" }>["set"]): string {
  const parts = Object.entries(set).sort(([a], [b]) => compareNames(a, b));
  return parts.map(([field, value]) => fieldWords(field, value)).join(" and ");
}

function fieldWords(field: string, value: unknown): string {
  switch (field) {
    case "requestType":
      return `ask for request type ${value}`;
    case "dataSets":
      return `ask for data sets ${listed(value as string[])}`;
    case "algorithm":
      return value === undefined ? "ask without an algorithm" : `ask for algorithm ${(value as { name: string }).name}`;
    case "purpose":
      return `state the purpose ${value}`;
    case "providers":
      return `ask ${listed(value as string[])} only`;
    default:
      return optionWords(value as Readonly<Record<string, boolean>>);
  }
}

function optionWords(options: Readonly<Record<string, boolean>>): string {
  const left = Object.entries(options).map(([name, value]) => `${name}=${value}`);
  return left.length === 0
    ? "ask without options"
    : `ask with no other options than ${left.sort(compareNames).join(", ")}`;
}

/** As data: `path` as in the reasons of a refusal. */
export function editJson(edit: Edit, user: string): Readonly<Record<string, unknown>> {
  switch (edit.at) {
    case "relation": {
      const { party, field } = edit;
      const change = "add" in edit ? { add: edit.add } : "set" in edit ? { set: edit.set } : { remove: true };
      const path = relationClause(user, jsonName(field));
      return {
        agreement: party,
        path: field === "queriesPerPeriod" && "set" in edit ? `${path}.max` : path,
        ...change,
      };
    }
    case "relations": {
      const { requestTypes, dataSets, allowedArchetypes, allowedComputeProviders } = edit.relation;
      const set = { requestTypes, dataSets, allowedArchetypes, allowedComputeProviders };
      return { agreement: edit.party, path: relationClause(user), set };
    }
    case "agreement":
      return { agreement: edit.party, path: edit.field, add: edit.add };
    case "request":
      return { request: edit.set };
    case "dataSets":
      return { dataSetsOf: edit.party, add: edit.add };
    case "presence":
      return { online: edit.party };
    case "time":
      return { from: new Date(edit.untilMs).toISOString() };
  }
}

function jsonName(field: string): string {
  return jsonNames[field] ?? field;
}
