/** A change of the port as a transaction of etcd. */
import { ErrorCode } from "#contracts";
import { revisionConflict } from "#domain/knowledge-key";
import { DynamosError } from "#errors";
import type { Companion, DeleteOptions } from "#ports/knowledge";
import type { Transaction } from "./commit.ts";
import type { KeySpace } from "./key-space.ts";
import type { KeyValue } from "./key-values.ts";

interface Expected {
  readonly key: string;
  readonly ifRevision: number;
}

/** @param leaseId etcd's, of the first document alone */
export function putOf(keys: KeySpace, document: Companion, options: DeleteOptions, leaseId?: string): Transaction {
  const { also = [] } = options;
  const expected = expectedOf(document.key, options);
  return {
    compare: expected.map((one) => isAt(keys, one)),
    success: [putRequest(keys, document, leaseId), ...also.map((one) => putRequest(keys, one))],
    failure: expected.map(({ key }) => readRequest(keys, key)),
  };
}

/** Its failure reads the key itself first. */
export function deletionOf(keys: KeySpace, key: string, options: DeleteOptions): Transaction {
  const { also = [] } = options;
  const expected = expectedOf(key, options);
  const isThere = { key: keys.encode(key), target: "CREATE", result: "GREATER", create_revision: "0" };
  return {
    compare: [isThere, ...expected.map((one) => isAt(keys, one))],
    success: [{ request_delete_range: { key: keys.encode(key) } }, ...also.map((one) => putRequest(keys, one))],
    failure: [key, ...expected.map((one) => one.key)].map((one) => readRequest(keys, one)),
  };
}

/** All under one lease. */
export function restorationOf(keys: KeySpace, values: ReadonlyMap<string, string>, leaseId: string): Transaction {
  const puts = [...values].map(([key, value]) => putRequest(keys, { key, value }, leaseId));
  return { compare: [], success: puts, failure: [] };
}

/** @param found what is there, in the order of the changes that expect something. @throws DynamosError REVISION_CONFLICT */
export function checkExpected(key: string, options: DeleteOptions, found: readonly (readonly KeyValue[])[]): void {
  for (const [i, one] of expectedOf(key, options).entries()) {
    const revision = Number(found[i]?.[0]?.mod_revision ?? 0);
    if (revision !== one.ifRevision) throw revisionConflict(one.key, revision, one.ifRevision);
  }
}

/** A revision that is none would be refused by etcd without a word of which. */
function expectedOf(key: string, { ifRevision, also = [] }: DeleteOptions): Expected[] {
  return [{ key, ifRevision }, ...also].flatMap((one) => {
    if (one.ifRevision === undefined) return [];
    if (Number.isSafeInteger(one.ifRevision)) return [{ key: one.key, ifRevision: one.ifRevision }];
    throw new DynamosError(ErrorCode.INVALID_REQUEST, `the revision that ${one.key} is to have must be a whole number`);
  });
}

function isAt(keys: KeySpace, { key, ifRevision }: Expected): object {
  return { key: keys.encode(key), target: "MOD", result: "EQUAL", mod_revision: String(ifRevision) };
}

function putRequest(keys: KeySpace, { key, value }: Companion, lease?: string): object {
  const base64 = Buffer.from(value, "utf8").toString("base64");
  return { request_put: { key: keys.encode(key), value: base64, ...(lease === undefined ? {} : { lease }) } };
}

function readRequest(keys: KeySpace, key: string): object {
  return { request_range: { key: keys.encode(key), keys_only: true } };
}
