/** The kinds of documents that can be read and replaced over HTTP. */
import {
  agreementFromJson,
  archetypeFromJson,
  dataSetFromJson,
  InvalidDocument,
  partyFromJson,
  requestTypeFromJson,
  stepFromJson,
} from "#contracts/documents";
import {
  agreementKey,
  archetypeKey,
  dataSetKey,
  keys,
  partyKey,
  requestTypeKey,
  stepKey,
} from "#domain/knowledge-keys";
import { limits } from "#domain/limits";
import type { Role } from "./caller.ts";

export interface Collection {
  /** Below `/v1/`. */
  readonly path: string;
  /** Of one document, below `path`: `/:name`, and before it the party whose it is where names are a party's own. */
  readonly place: string;
  /** Said in errors. */
  readonly noun: string;
  readonly prefix: string;
  /** Who changes it, as the record says. */
  readonly changedBy: Role;
  readonly bodyBytesMax: number;
  readonly keyOf: (name: string, party: string) => string;
  /** The document as a whole. @throws InvalidDocument */
  readonly check: (json: unknown) => unknown;
  /** Whether lists of it have a route elsewhere. */
  readonly isListedElsewhere?: boolean;
}

const small = { changedBy: "operator", bodyBytesMax: limits.requestBodyBytesMax, place: "/:name" } as const;

export const agreements: Collection = {
  path: "agreements",
  place: "/:name",
  noun: "agreement",
  prefix: keys.agreements,
  changedBy: "steward",
  bodyBytesMax: limits.agreementBytesMax,
  keyOf: agreementKey,
  check: (json) => void agreementFromJson(json, 0),
};

export const collections: readonly Collection[] = [
  agreements,
  {
    ...small,
    path: "archetypes",
    noun: "archetype",
    prefix: keys.archetypes,
    keyOf: archetypeKey,
    check: archetypeFromJson,
  },
  {
    ...small,
    path: "request-types",
    noun: "request type",
    prefix: keys.requestTypes,
    keyOf: requestTypeKey,
    check: requestTypeFromJson,
  },
  { ...small, path: "steps", noun: "step", prefix: keys.steps, keyOf: stepKey, check: stepFromJson },
  {
    ...small,
    path: "parties",
    noun: "party",
    prefix: keys.parties,
    keyOf: partyKey,
    check: (json) => void partyFromJson(json),
    isListedElsewhere: true,
  },
  {
    ...small,
    path: "data-sets",
    place: "/:party/:name",
    noun: "data set",
    prefix: keys.dataSets,
    keyOf: (name, party) => dataSetKey(party, name),
    check: dataSetFromJson,
  },
];

/** The document must bear the names that its address has. @throws InvalidDocument */
export function checkNames({ noun }: Collection, json: unknown, names: { name: string; party: string }): void {
  const document = json as Readonly<Record<string, unknown>>;
  const wrong = (["name", "party"] as const).filter((field) => names[field] !== "" && document[field] !== names[field]);
  if (wrong.length === 0) return;
  throw new InvalidDocument(
    noun,
    wrong.map((field) => ({ path: `/${field}`, message: `must be ${names[field]}, as in the address` })),
  );
}
