/** The embedded knowledge base: one process, one revision counter, every change kept for a while so that a watch can resume. */
import { randomUUID } from "node:crypto";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import type { Change, Entry, Knowledge, Lease, PutOptions } from "#ports/knowledge";
import { MemoryWatch } from "./watch.ts";

/** Changes that a watch can still begin with. */
const historyMax = 10_000;
const keyCharsMax = 512;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be in a key.
const validKey = /^\/[^\u0000-\u001f\u007f]*$/;

export function createMemoryKnowledge({ clock }: { clock: Clock }): Knowledge {
  return new MemoryKnowledge(clock);
}

class MemoryKnowledge implements Knowledge {
  private readonly clock: Clock;
  private readonly entries = new Map<string, Entry>();
  private readonly leaseOf = new Map<string, string>();
  private readonly history: Change[] = [];
  private readonly watches = new Set<MemoryWatch>();
  /** By lease: stops its renewal. */
  private readonly leases = new Map<string, () => void>();
  private revision = 0;
  private closed = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  async get(key: string): Promise<Entry | undefined> {
    this.checkOpen();
    return this.entries.get(key);
  }

  async list(prefix: string): Promise<{ entries: Entry[]; revision: number }> {
    this.checkOpen();
    const entries = [...this.entries.values()].filter(({ key }) => key.startsWith(prefix));
    return { entries: entries.sort((a, b) => (a.key < b.key ? -1 : 1)), revision: this.revision };
  }

  async put(key: string, value: string, { ifRevision, lease }: PutOptions = {}): Promise<number> {
    this.checkOpen();
    checkKey(key);
    this.checkRevision(key, ifRevision);
    if (lease !== undefined && !this.leases.has(lease.id)) throw unavailable("the lease has ended");
    this.revision += 1;
    const entry = { key, value, revision: this.revision };
    this.entries.set(key, entry);
    if (lease === undefined) this.leaseOf.delete(key);
    else this.leaseOf.set(key, lease.id);
    this.record({ kind: "put", entry });
    return entry.revision;
  }

  async delete(key: string, { ifRevision }: { ifRevision?: number } = {}): Promise<boolean> {
    this.checkOpen();
    this.checkRevision(key, ifRevision);
    return this.remove(key);
  }

  watch(prefix: string, fromRevision = this.revision + 1): MemoryWatch {
    const watch = new MemoryWatch(prefix, (ended) => void this.watches.delete(ended));
    // The counter rises by one a change: what the history lacks is what came before its first.
    const oldest = this.revision - this.history.length + 1;
    if (this.closed) {
      watch.fail(unavailable("the knowledge base is closed"));
    } else if (fromRevision < oldest && oldest > 1) {
      watch.fail(unavailable(`changes before revision ${oldest} are forgotten: list again`));
    } else {
      for (const change of this.history.slice(Math.max(0, fromRevision - oldest))) watch.see(change);
      this.watches.add(watch);
    }
    return watch;
  }

  async grant(ttlMs: number): Promise<Lease> {
    this.checkOpen();
    const id = randomUUID();
    // Holder and store are one process: while it lives the lease is renewed, and with it both end.
    const renew = () => void this.leases.set(id, this.clock.after(ttlMs, renew));
    renew();
    return { id, ttlMs, end: async () => this.endLease(id) };
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const stop of this.leases.values()) stop();
    this.leases.clear();
    for (const watch of this.watches) watch.close();
  }

  private endLease(id: string): void {
    const stop = this.leases.get(id);
    if (stop === undefined) return;
    stop();
    this.leases.delete(id);
    for (const [key, holder] of this.leaseOf) if (holder === id) this.remove(key);
  }

  private remove(key: string): boolean {
    this.leaseOf.delete(key);
    if (!this.entries.delete(key)) return false;
    this.revision += 1;
    this.record({ kind: "delete", key, revision: this.revision });
    return true;
  }

  private record(change: Change): void {
    this.history.push(change);
    if (this.history.length > historyMax) this.history.shift();
    for (const watch of this.watches) watch.see(change);
  }

  private checkRevision(key: string, ifRevision: number | undefined): void {
    const current = this.entries.get(key)?.revision ?? 0;
    if (ifRevision === undefined || ifRevision === current) return;
    const there = current === 0 ? "does not exist" : `is at revision ${current}`;
    throw new DynamosError(ErrorCode.REVISION_CONFLICT, `${key} ${there}, expected ${ifRevision}`);
  }

  private checkOpen(): void {
    if (this.closed) throw unavailable("the knowledge base is closed");
  }
}

function checkKey(key: string): void {
  if (validKey.test(key) && key.length <= keyCharsMax) return;
  const message = `a key begins with / and has at most ${keyCharsMax} characters, none of them a control character`;
  throw new DynamosError(ErrorCode.INVALID_REQUEST, message);
}

function unavailable(message: string): DynamosError {
  return new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, message);
}
