/** Writes down at each party how the documents change that policy reads: which, to what, and by whom where that is known. */
import { createHash } from "node:crypto";
import type { ChangeRecord, StartRecord } from "#domain/audit/record";
import { historyPrefix, isPolicyKey } from "#domain/knowledge-keys";
import { limits } from "#domain/limits";
import { toDynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import type { Change, Knowledge, Watch } from "#ports/knowledge";
import type { Log } from "#ports/log";
import type { Records } from "#ports/records";

export interface RecordedChanges {
  stop(): void;
}

export interface RecordedChangesOptions {
  readonly knowledge: Knowledge;
  readonly records: Records;
  readonly build: string;
  readonly clock: Clock;
  readonly log: Log;
}

interface Known {
  readonly revision: number;
  readonly sha256: string;
}

/** @throws DynamosError RECORD_UNAVAILABLE, KNOWLEDGE_UNAVAILABLE: a sidecar that can't record does not start */
export async function recordChanges(options: RecordedChangesOptions): Promise<RecordedChanges> {
  const changes = new Changes(options);
  await changes.begin();
  return changes;
}

class Changes implements RecordedChanges {
  private readonly options: RecordedChangesOptions;
  /** By key: each document as it is on record. */
  private readonly known = new Map<string, Known>();
  private watch: Watch | undefined;
  private isStopped = false;

  constructor(options: RecordedChangesOptions) {
    this.options = options;
  }

  async begin(): Promise<void> {
    const { knowledge, records, build, clock } = this.options;
    const { entries, revision } = await knowledge.list("/");
    for (const { key, value, revision: at } of entries) {
      if (isPolicyKey(key)) this.known.set(key, { revision: at, sha256: digest(value) });
    }
    const documents = [...this.known].map(([key, one]) => ({ key, ...one })).slice(0, limits.recordDocumentsMax);
    const start: StartRecord = { kind: "start", atMs: clock.now(), code: { sidecar: build }, documents };
    await records.append([start]);
    void this.follow(revision + 1);
  }

  stop(): void {
    this.isStopped = true;
    this.watch?.close();
  }

  private async follow(fromRevision: number): Promise<void> {
    for (let from = fromRevision; !this.isStopped; ) {
      try {
        // Documents and their history, which names who changed them, in one stream.
        this.watch = this.options.knowledge.watch("", from);
        await this.read(this.watch);
        if (!this.isStopped) from = await this.catchUp();
      } catch (error) {
        if (this.isStopped) return;
        this.options.log.log("error", "changes are not recorded", { reason: toDynamosError(error).message });
        await this.pause();
        from = await this.catchUp().catch(() => from);
      }
    }
  }

  /** The changes of one revision come one after the other, and belong together. */
  private async read(watch: Watch): Promise<void> {
    let together: Change[] = [];
    const changes = watch[Symbol.asyncIterator]();
    let next = changes.next();
    for (;;) {
      const result = together.length === 0 ? await next : await Promise.race([next, this.shortly()]);
      const change = result?.done === false ? result.value : undefined;
      if (together.length > 0 && (change === undefined || revisionOf(change) !== revisionOf(together[0]))) {
        await this.record(together);
        together = [];
      }
      if (result?.done === true) return;
      if (change === undefined) continue;
      together.push(change);
      next = changes.next();
    }
  }

  /** Of changes that were missed: what is different now. */
  private async catchUp(): Promise<number> {
    const { entries, revision } = await this.options.knowledge.list("/");
    const there = new Map(entries.map((entry) => [entry.key, entry]));
    for (const entry of entries) {
      if (this.known.get(entry.key)?.revision !== entry.revision) await this.record([{ kind: "put", entry }]);
    }
    for (const key of [...this.known.keys()]) {
      if (!there.has(key)) await this.record([{ kind: "delete", key, revision }]);
    }
    return revision + 1;
  }

  private async record(changes: readonly Change[]): Promise<void> {
    const { clock, build } = this.options;
    const batch = changes.flatMap((change): ChangeRecord[] => {
      const key = keyOf(change);
      if (!isPolicyKey(key)) return [];
      const before = this.known.get(key)?.sha256 ?? "";
      const after = change.kind === "put" ? digest(change.entry.value) : "";
      const revision = revisionOf(change);
      if (after === "") this.known.delete(key);
      else this.known.set(key, { revision, sha256: after });
      const author = authorOf(key, changes);
      return [{ kind: "change", atMs: clock.now(), key, revision, author, before, after, code: { sidecar: build } }];
    });
    await this.append(batch);
  }

  /** A change is a fact, recorded or not: what can't be written is written later. */
  private async append(batch: readonly ChangeRecord[]): Promise<void> {
    while (!this.isStopped) {
      try {
        await this.options.records.append(batch);
        return;
      } catch (error) {
        const { message: reason } = toDynamosError(error);
        this.options.log.log("error", "a change could not be recorded yet", { key: batch[0]?.key ?? "", reason });
        await this.pause();
      }
    }
  }

  private pause(): Promise<void> {
    return new Promise((resume) => void this.options.clock.after(limits.recordRetryMs, resume));
  }

  private shortly(): Promise<undefined> {
    return new Promise((resume) => void this.options.clock.after(limits.recordGroupMs, () => resume(undefined)));
  }
}

/** The version of the document that was written along with the change. */
function authorOf(key: string, changes: readonly Change[]): string {
  for (const change of changes) {
    if (change.kind !== "put" || !change.entry.key.startsWith(historyPrefix(key))) continue;
    const { author } = parsed(change.entry.value);
    if (typeof author === "string" && author !== "") return author.slice(0, limits.recordNameCharsMax);
  }
  return "";
}

function parsed(json: string): { author?: unknown } {
  try {
    return (JSON.parse(json) as { author?: unknown } | null) ?? {};
  } catch {
    return {};
  }
}

function keyOf(change: Change): string {
  return change.kind === "put" ? change.entry.key : change.key;
}

function revisionOf(change: Change | undefined): number {
  return change?.kind === "put" ? change.entry.revision : (change?.revision ?? 0);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
