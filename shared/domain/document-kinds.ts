/** The kinds of documents that people write: files, HTTP and the knowledge base have the same. */
import {
  agreementFromJson,
  archetypeFromJson,
  dataSetFromJson,
  partyFromJson,
  requestTypeFromJson,
  stepFromJson,
} from "#contracts/documents";
import { agreementKey, archetypeKey, dataSetKey, keys, partyKey, requestTypeKey, stepKey } from "./knowledge-keys.ts";

export interface DocumentKind {
  /** Its name in addresses, below `/v1/`, and that of its folder of files. */
  readonly path: string;
  /** Said in errors. */
  readonly noun: string;
  readonly prefix: string;
  readonly keyOf: (name: string, party: string) => string;
  /** The document as a whole. @throws InvalidDocument */
  readonly check: (json: unknown) => unknown;
  /** Whether two parties may each have one of the same name. */
  readonly isByParty: boolean;
}

export const agreementKind: DocumentKind = {
  path: "agreements",
  noun: "agreement",
  prefix: keys.agreements,
  keyOf: agreementKey,
  check: (json) => agreementFromJson(json, 0),
  isByParty: false,
};

export const partyKind: DocumentKind = {
  path: "parties",
  noun: "party",
  prefix: keys.parties,
  keyOf: partyKey,
  check: partyFromJson,
  isByParty: false,
};

/** In the order in which they are listed. */
export const documentKinds: readonly DocumentKind[] = [
  agreementKind,
  {
    path: "archetypes",
    noun: "archetype",
    prefix: keys.archetypes,
    keyOf: archetypeKey,
    check: archetypeFromJson,
    isByParty: false,
  },
  {
    path: "request-types",
    noun: "request type",
    prefix: keys.requestTypes,
    keyOf: requestTypeKey,
    check: requestTypeFromJson,
    isByParty: false,
  },
  { path: "steps", noun: "step", prefix: keys.steps, keyOf: stepKey, check: stepFromJson, isByParty: false },
  partyKind,
  {
    path: "data-sets",
    noun: "data set",
    prefix: keys.dataSets,
    keyOf: (name, party) => dataSetKey(party, name),
    check: dataSetFromJson,
    isByParty: true,
  },
];
