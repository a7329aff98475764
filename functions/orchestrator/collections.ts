/** The kinds of documents that can be read and replaced over HTTP. */
import { InvalidDocument } from "#contracts/documents";
import { agreementKind, type DocumentKind, documentKinds, partyKind } from "#domain/document-kinds";
import { limits } from "#domain/limits";
import type { Role } from "./caller.ts";

export interface Collection extends DocumentKind {
  /** Of one document, below `path`: `/:name`, and before it the party whose it is where names are a party's own. */
  readonly place: string;
  /** Who changes it, as the record says. */
  readonly changedBy: Role;
  readonly bodyBytesMax: number;
  /** Whether lists of it have a route elsewhere. */
  readonly isListedElsewhere: boolean;
}

const collectionOf = (kind: DocumentKind): Collection => ({
  ...kind,
  place: kind.isByParty ? "/:party/:name" : "/:name",
  changedBy: kind === agreementKind ? "steward" : "operator",
  bodyBytesMax: kind === agreementKind ? limits.agreementBytesMax : limits.requestBodyBytesMax,
  isListedElsewhere: kind === partyKind,
});

export const agreements = collectionOf(agreementKind);

export const collections: readonly Collection[] = [
  agreements,
  ...documentKinds.filter((kind) => kind !== agreementKind).map(collectionOf),
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
