/** The versions that a document had: written with each change of it, read newest first. */
import { randomUUID } from "node:crypto";
import { historyKey, historyPrefix } from "#domain/knowledge-keys";
import { limits } from "#domain/limits";
import type { Companion, Entry } from "#ports/knowledge";
import type { SidecarApi } from "#sidecar/client";

/** As it is stored. */
interface VersionJson {
  /** Subject of the caller; empty: not known, it was there before the first change over HTTP. */
  readonly author: string;
  readonly role: string;
  /** ISO 8601; empty: not known. */
  readonly time: string;
  readonly change: "put" | "delete";
  /** Of the version before; 0: there was none. */
  readonly previousRevision: number;
  /** The document; null: it was deleted. */
  readonly value: unknown;
}

export interface Version extends VersionJson {
  readonly revision: number;
}

/** What is known of a version without its content. */
export interface KeptVersion {
  readonly key: string;
  readonly revision: number;
  readonly bytes: number;
}

/** Not parsed yet: documents may be large and many. */
interface StoredVersion extends KeptVersion {
  parse(): Version;
}

/** Of a document that was there before its first change over HTTP; sorts before every time. */
const seedVersion = /\/0-(\d+)$/;

/** Newest first, all that are kept. */
export async function storedVersions(api: SidecarApi, key: string): Promise<StoredVersion[]> {
  const prefix = historyPrefix(key);
  const { entries } = await api.list(prefix);
  return (
    entries
      // A name may have a slash in it: then it is below this prefix too.
      .filter((entry) => !entry.key.slice(prefix.length).includes("/"))
      .map(storedVersion)
      .sort((a, b) => b.revision - a.revision)
  );
}

function storedVersion({ key, value, revision }: Entry): StoredVersion {
  const seed = seedVersion.exec(key)?.[1];
  const of = seed === undefined ? revision : Number(seed);
  return { key, revision: of, bytes: Buffer.byteLength(value), parse: () => ({ ...JSON.parse(value), revision: of }) };
}

/** A version on its way into the store, at the revision of the change that it goes along with. */
export function versionOf(key: string, version: VersionJson): Companion {
  return { key: historyKey(key, `${version.time}-${randomUUID()}`), value: JSON.stringify(version) };
}

/** The version that a first change replaces, which nobody wrote down. */
export function seedVersionOf(key: string, { value, revision }: Entry): Companion {
  const version = { author: "", role: "", time: "", change: "put", previousRevision: 0, value: JSON.parse(value) };
  return { key: historyKey(key, `0-${revision}`), value: JSON.stringify(version) };
}

/** @returns those that are too many or too much; the newest stays whatever its size */
export function versionsToPrune(newestFirst: readonly KeptVersion[]): KeptVersion[] {
  let bytes = 0;
  return newestFirst.filter((version, index) => {
    bytes += version.bytes;
    return index >= limits.historyKeptMax || (index > 0 && bytes > limits.historyKeptBytesMax);
  });
}
