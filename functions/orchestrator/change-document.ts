/** Changes of documents: over the revision that their author has seen, and written down in the same transaction. */
import { ErrorCode } from "#contracts";
import { existenceKey } from "#domain/knowledge-keys";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Companion, Entry } from "#ports/knowledge";
import type { SidecarApi } from "#sidecar/client";
import type { Caller } from "./caller.ts";
import type { Collection } from "./collections.ts";
import { type Conditions, checkDelete, checkPut, type Existence } from "./precondition.ts";
import { seedVersionOf, storedVersions, versionOf, versionsToPrune } from "./versions.ts";

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

/** What this process has seen of a document's versions; another one may have written more. */
interface Seen {
  /** Of the last version. */
  readonly revision: number;
  /** Since the last look at whether some must go. */
  readonly count: number;
  readonly chars: number;
}

export function documentChanges(api: SidecarApi, now: () => number = Date.now): DocumentChanges {
  const seen = new Map<string, Seen>();

  /** What goes along with a change: its version, and the one before where nobody wrote that down. */
  async function versionsWith(
    { key, caller, collection }: DocumentChange,
    before: Entry | undefined,
    value: unknown,
  ): Promise<Companion[]> {
    const version = versionOf(key, {
      author: caller.subject,
      role: collection.changedBy,
      time: new Date(now()).toISOString(),
      change: value === null ? "delete" : "put",
      previousRevision: before?.revision ?? 0,
      value,
    });
    return before === undefined || (await isWrittenDown(key, before))
      ? [version]
      : [version, seedVersionOf(key, before)];
  }

  async function isWrittenDown(key: string, { revision }: Entry): Promise<boolean> {
    if (seen.get(key)?.revision === revision) return true;
    return (await storedVersions(api, key)).some((version) => version.revision === revision);
  }

  function changed(key: string, revision: number, versions: readonly Companion[]): void {
    const { count = Number.POSITIVE_INFINITY, chars = 0 } = seen.get(key) ?? {};
    const next = {
      revision,
      count: count + versions.length,
      chars: versions.reduce((sum, { value }) => sum + value.length, chars),
    };
    const isDue =
      next.count > limits.historyKeptMax * limits.historySlackShare ||
      next.chars > limits.historyKeptCharsMax * limits.historySlackShare;
    seen.set(key, isDue ? { revision, count: 0, chars: 0 } : next);
    // Best effort: what stays too long is seen the next time.
    if (isDue) void prune(key).catch(() => {});
  }

  async function prune(key: string): Promise<void> {
    for (const version of versionsToPrune(await storedVersions(api, key))) await api.delete(version.key);
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
        also: before === undefined ? [...versions, existenceOf(key, true, there.changedAt ?? 0)] : versions,
      });
      changed(key, revision, versions);
      return { revision, isNew: before === undefined };
    },
    delete: async (change) => {
      const { key, what, conditions } = change;
      const { before, there } = await look(change);
      if (before === undefined) throw new DynamosError(ErrorCode.NOT_FOUND, `there is no ${what}`);
      checkDelete(there, conditions);
      const versions = await versionsWith(change, before, null);
      const also = [...versions, existenceOf(key, false)];
      const revision = await api.delete(key, { ifRevision: before.revision, also });
      if (revision === undefined) throw new DynamosError(ErrorCode.NOT_FOUND, `there is no ${what} any more`);
      changed(key, revision, versions);
      return revision;
    },
  };
}

function existenceOf(key: string, exists: boolean, ifRevision?: number): Companion {
  return { key: existenceKey(key), value: JSON.stringify({ exists }), ifRevision };
}
