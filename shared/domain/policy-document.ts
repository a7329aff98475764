/** What decides on queries, as the knowledge base holds it: one document of one kind. */
import type { Agreement, Archetype, DataSet, Party, RequestType, Step } from "#contracts";
import {
  agreementFromJson,
  archetypeFromJson,
  dataSetFromJson,
  partyFromJson,
  requestTypeFromJson,
  stepFromJson,
} from "#contracts/documents";
import { keys } from "./knowledge-keys.ts";

/** By the name of its keys. */
export interface PolicyDocuments {
  readonly agreements: Agreement;
  readonly archetypes: Archetype;
  readonly requestTypes: RequestType;
  readonly steps: Step;
  readonly dataSets: DataSet;
  readonly parties: Party;
}

export type PolicyKind = keyof PolicyDocuments;

export type PolicyDocument = {
  [Kind in PolicyKind]: { readonly kind: Kind; readonly value: PolicyDocuments[Kind] };
}[PolicyKind];

/**
 * @param revision of the store, when this document was written
 * @returns undefined: what is of this key decides on no query
 * @throws InvalidDocument, SyntaxError
 */
export function policyDocument(key: string, value: string, revision: number): PolicyDocument | undefined {
  const is = (kind: PolicyKind) => key.startsWith(keys[kind]);
  if (is("agreements")) return { kind: "agreements", value: agreementFromJson(JSON.parse(value), revision) };
  if (is("archetypes")) return { kind: "archetypes", value: archetypeFromJson(JSON.parse(value)) };
  if (is("requestTypes")) return { kind: "requestTypes", value: requestTypeFromJson(JSON.parse(value)) };
  if (is("steps")) return { kind: "steps", value: stepFromJson(JSON.parse(value)) };
  if (is("dataSets")) return { kind: "dataSets", value: dataSetFromJson(JSON.parse(value)) };
  if (is("parties")) return { kind: "parties", value: partyFromJson(JSON.parse(value)) };
  return undefined;
}
