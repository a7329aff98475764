/**
 * A watch of etcd that outlives its connections: it goes on after the last revision that it has seen whole. Where etcd
 * has forgotten the changes since then, it lists and brings the differences: first what is gone, at the first
 * revision at which that can have happened, then what is new or changed, in the order of its revisions.
 */
import { setTimeout as wait } from "node:timers/promises";
import { limits } from "#domain/limits";
import type { Change, Watch } from "#ports/knowledge";
import type { EtcdClient } from "./client.ts";
import type { KeyRange, KeySpace } from "./key-space.ts";
import { entryOf, isOutOfReach, type KeyValue, listAll } from "./key-values.ts";
import { EtcdRefusal } from "./refusal.ts";
import { Unread } from "./unread.ts";
import { openWatchStream, type WatchEvent, type WatchStream } from "./watch-stream.ts";

export interface EtcdWatchOptions {
  readonly client: EtcdClient;
  readonly keys: KeySpace;
  readonly prefix: string;
  /** Absent: from now on. */
  readonly fromRevision: number | undefined;
  readonly onEnd: () => void;
}

export class EtcdWatch implements Watch {
  /** Settles when it is known after which revision it begins, or the first try to learn it has failed. */
  readonly begun: Promise<void>;
  readonly #options: EtcdWatchOptions;
  readonly #range: KeyRange;
  readonly #closed = new AbortController();
  readonly #unread = new Unread();
  /** Base64, of all that is there: what is missing later was deleted. */
  #there = new Set<string>();
  /** Seen whole. */
  #last = 0;

  constructor(options: EtcdWatchOptions) {
    this.#options = options;
    this.#range = options.keys.range(options.prefix);
    let hasBegun = () => {};
    this.begun = new Promise((resolve) => {
      hasBegun = resolve;
    });
    this.#run(hasBegun)
      .catch((error: unknown) => this.fail(error))
      .finally(hasBegun);
  }

  close(): void {
    this.#closed.abort();
    this.#unread.end();
    this.#options.onEnd();
  }

  /** Its reader gets the error. */
  fail(error: unknown): void {
    this.#unread.end(error);
    this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Change> {
    try {
      yield* this.#unread;
    } finally {
      this.close();
    }
  }

  get #isClosed(): boolean {
    return this.#closed.signal.aborted || this.#options.client.isClosed;
  }

  async #run(hasBegun: () => void): Promise<void> {
    await this.#untilDone(() => this.#begin(), hasBegun);
    hasBegun();
    let current: WatchStream | undefined;
    while (!this.#isClosed) {
      const next = await this.#untilDone(() => this.#open());
      // Only now: no change has to wait for the next stream.
      current?.close();
      current = next;
      if (next !== undefined) await this.#untilDone(() => this.#follow(next));
    }
    current?.close();
  }

  async #open(): Promise<WatchStream> {
    // One that was seen already: where that is forgotten, a deletion right after it may be too (etcd issue 18089).
    const request = { ...this.#range, start_revision: String(Math.max(1, this.#last)) };
    const { client } = this.#options;
    return openWatchStream(client, request, this.#closed.signal, (events) => this.#receive(events));
  }

  /** Until it is time for the next stream, or this one has ended. */
  async #follow({ ended }: WatchStream): Promise<void> {
    const renewal = wait(limits.etcdWatchRenewMs, undefined, { signal: this.#closed.signal, ref: false });
    const error = await Promise.race([ended, renewal.catch(() => undefined)]);
    if (error === undefined || this.#isClosed || isOutOfReach(error)) return;
    if (!(error instanceof EtcdRefusal)) throw error;
    if (error.reason === "compacted") await this.#catchUp(error);
    // etcd 3.4 says so of a token that it has forgotten: a read says which it is, and brings a new one.
    else if (error.reason === "forbidden")
      await listAll(this.#options.client, { range: this.#range, isKeysOnly: true });
    else throw error;
  }

  /** What is there just before it begins. */
  async #begin(): Promise<void> {
    const { client, fromRevision } = this.#options;
    const query = { range: this.#range, isKeysOnly: true };
    if (fromRevision !== undefined && fromRevision <= 1) return;
    try {
      const before = fromRevision === undefined ? {} : { revision: fromRevision - 1 };
      const { keyValues, revision } = await listAll(client, { ...query, ...before });
      this.#there = new Set(keyValues.map(({ key }) => key));
      this.#last = revision;
    } catch (error) {
      if (!(error instanceof EtcdRefusal) || error.reason !== "future" || fromRevision === undefined) throw error;
      this.#there = new Set((await listAll(client, query)).keyValues.map(({ key }) => key));
      this.#last = fromRevision - 1;
    }
  }

  #receive(events: readonly WatchEvent[]): void {
    const changes: Change[] = [];
    const before = this.#last;
    for (const { type, kv } of events) {
      const revision = Number(kv.mod_revision ?? 0);
      if (revision <= before) continue;
      this.#last = revision;
      if (type === "DELETE") this.#there.delete(kv.key);
      else this.#there.add(kv.key);
      const change = this.#changeOf(kv, type === "DELETE");
      if (change !== undefined) changes.push(change);
    }
    this.#unread.add(changes);
  }

  async #catchUp(compacted: EtcdRefusal): Promise<void> {
    const { client, fromRevision } = this.#options;
    // Asked for by number, and gone before anything was seen: what was there then is not known.
    if (fromRevision !== undefined && fromRevision <= 1 && this.#last === 0) throw compacted;
    const range = this.#range;
    const { keyValues, revision } = await listAll(client, { range, isKeysOnly: true });
    const changed = await listAll(client, { range, revision, changedSince: this.#last + 1 });
    const there = new Set(keyValues.map(({ key }) => key));
    const first = String(this.#last + 1);
    const gone = [...this.#there].filter((key) => !there.has(key)).map((key) => ({ key, mod_revision: first }));
    const sorted = [...changed.keyValues].sort((a, b) => Number(a.mod_revision) - Number(b.mod_revision));
    const changes = [
      ...gone.map((kv) => this.#changeOf(kv, true)),
      ...sorted.map((kv) => this.#changeOf(kv, false)),
    ].filter((change) => change !== undefined);
    this.#there = there;
    this.#last = Math.max(this.#last, revision);
    this.#unread.add(changes);
  }

  #changeOf(kv: KeyValue, isDeleted: boolean): Change | undefined {
    const entry = entryOf(kv, this.#options.keys);
    if (entry === undefined) return undefined;
    return isDeleted ? { kind: "delete", key: entry.key, revision: entry.revision } : { kind: "put", entry };
  }

  /** @returns undefined when it is closed meanwhile. @throws what no other try can help */
  async #untilDone<Result>(work: () => Promise<Result>, onFailure = () => {}): Promise<Result | undefined> {
    for (
      let pauseMs: number = limits.etcdRetryFirstMs;
      !this.#isClosed;
      pauseMs = Math.min(limits.etcdRetryLongestMs, pauseMs * 2)
    ) {
      try {
        return await work();
      } catch (error) {
        if (this.#isClosed) return undefined;
        if (!isOutOfReach(error)) throw error;
        onFailure();
        await wait(pauseMs, undefined, { signal: this.#closed.signal, ref: false }).catch(() => {});
      }
    }
    return undefined;
  }
}
