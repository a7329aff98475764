/** Changes of documents: over the revision that their author has seen, and written down in the same transaction. */
import { ErrorCode } from "#contracts";
import { existenceKey } from "#domain/knowledge-keys";
import { DynamosError } from "#errors";
import type { Companion, Entry } from "#ports/knowledge";
import type { SidecarApi } from "#sidecar/client";
import type { Caller } from "./caller.ts";
import type { Collection } from "./collections.ts";
import { type Conditions, checkDelete, checkPut, type Existence } from "./precondition.ts";
import { type KeptVersion, seedVersionOf, storedVersions, versionOf, versionsToPrune } from "./versions.ts";

export interface DocumentChange {
  readonly collection: Collection;
  readonly key: string;
  /** As errors name it: `agreement VU`. */
  readonly what: string;
  readonly caller: Caller;
  readonly conditions: Conditions;
}

export interface DocumentChanges {
  /** @returns the new revision, and whether there was none before. @throws DynamosError as `checkPut` */
  put(change: DocumentChange, json: unknown): Promise<{ revision: number; isNew: boolean }>;
  /** @returns the revision of the deletion. @throws DynamosError NOT_FOUND, or as `checkDelete` */
  delete(change: DocumentChange): Promise<number>;
}

/** What this process knows of a document's versions, when nobody else has changed it since. */
interface Seen {
  /** Of the document; undefined: it was deleted. */
  readonly revision: number | undefined;
  /** Newest first. */
  readonly versions: readonly KeptVersion[];
}

export function documentChanges(api: SidecarApi, now: () => number = Date.now): DocumentChanges {
  const seen = new Map<string, Seen>();

  async function versionsOf(key: string, before: Entry | undefined): Promise<readonly KeptVersion[]> {
    const known = seen.get(key);
    return known !== undefined && known.revision === before?.revision ? known.versions : storedVersions(api, key);
  }

  /** What goes along with a change: its version, and the one before where nobody wrote that down. */
  async function versionsWith(
    { key, caller, collection }: DocumentChange,
    before: Entry | undefined,
    value: unknown,
  ): Promise<{ companions: Companion[]; kept: readonly KeptVersion[] }> {
    const version = versionOf(key, {
      author: caller.subject,
      role: collection.changedBy,
      time: new Date(now()).toISOString(),
      change: value === null ? "delete" : "put",
      previousRevision: before?.revision ?? 0,
      value,
    });
    const kept = await versionsOf(key, before);
    const isWrittenDown = before === undefined || kept.some(({ revision }) => revision === before.revision);
    return { companions: isWrittenDown ? [version] : [version, seedVersionOf(key, before)], kept };
  }

  function changed(
    key: string,
    at: { revision: number; exists: boolean },
    { companions, kept }: { companions: readonly Companion[]; kept: readonly KeptVersion[] },
  ): void {
    const added = companions.map((one) => ({
      key: one.key,
      revision: at.revision,
      bytes: Buffer.byteLength(one.value),
    }));
    const versions = [...added, ...kept];
    const gone = versionsToPrune(versions);
    const left = versions.filter((one) => !gone.includes(one));
    seen.set(key, { revision: at.exists ? at.revision : undefined, versions: left });
    // Best effort: what stays too long is seen by the next process that looks.
    void prune(gone).catch(() => {});
  }

  async function prune(gone: readonly KeptVersion[]): Promise<void> {
    for (const version of gone) await api.delete(version.key);
  }

  async function look({ key, what }: DocumentChange): Promise<{ before: Entry | undefined; there: Existence }> {
    const [before, existence] = await Promise.all([api.get(key), api.get(existenceKey(key))]);
    return { before, there: { what, revision: before?.revision, changedAt: existence?.revision } };
  }

  return {
    put: async (change, json) => {
      const { key, conditions } = change;
      const { before, there } = await look(change);
      checkPut(there, conditions);
      const versions = await versionsWith(change, before, json);
      const revision = await api.put(key, JSON.stringify(json), {
        ifRevision: before?.revision ?? 0,
        // Nobody else may have created and deleted it meanwhile.
        also: [...versions.companions, ...(before === undefined ? [existenceOf(key, true, there.changedAt ?? 0)] : [])],
      });
      changed(key, { revision, exists: true }, versions);
      return { revision, isNew: before === undefined };
    },
    delete: async (change) => {
      const { key, what, conditions } = change;
      const { before, there } = await look(change);
      if (before === undefined) throw new DynamosError(ErrorCode.NOT_FOUND, `there is no ${what}`);
      checkDelete(there, conditions);
      const versions = await versionsWith(change, before, null);
      const also = [...versions.companions, existenceOf(key, false)];
      const revision = await api.delete(key, { ifRevision: before.revision, also });
      if (revision === undefined) throw new DynamosError(ErrorCode.NOT_FOUND, `there is no ${what} any more`);
      changed(key, { revision, exists: false }, versions);
      return revision;
    },
  };
}

function existenceOf(key: string, exists: boolean, ifRevision?: number): Companion {
  return { key: existenceKey(key), value: JSON.stringify({ exists }), ifRevision };
}
