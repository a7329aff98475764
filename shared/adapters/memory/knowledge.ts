/** The embedded knowledge base: one process, one revision counter, every change kept for a while so that a watch can resume. */
import { randomUUID } from "node:crypto";
import { ErrorCode } from "#contracts";
import { checkKeys, revisionConflict } from "#domain/knowledge-key";
import { DynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import type { Change, Companion, DeleteOptions, Entry, Knowledge, Lease, PutOptions } from "#ports/knowledge";
import { ChangeHistory } from "./change-history.ts";
import { MemoryWatch } from "./watch.ts";

export function createMemoryKnowledge({ clock }: { clock: Clock }): Knowledge {
  return new MemoryKnowledge(clock);
}

class MemoryKnowledge implements Knowledge {
  private readonly clock: Clock;
  private readonly entries = new Map<string, Entry>();
  private readonly leaseOf = new Map<string, string>();
  private readonly history = new ChangeHistory();
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

  async put(key: string, value: string, options: PutOptions = {}): Promise<number> {
    const { lease, also = [] } = options;
    this.check(key, options);
    if (lease !== undefined && !this.leases.has(lease.id)) throw unavailable("the lease has ended");
    this.revision += 1;
    const changes = [{ key, value }, ...also].map((document) => this.store(document));
    if (lease !== undefined) this.leaseOf.set(key, lease.id);
    this.record(changes);
    return this.revision;
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<number | undefined> {
    this.check(key, options);
    return this.remove(key, options.also);
  }

  watch(prefix: string, fromRevision = this.revision + 1): MemoryWatch {
    const watch = new MemoryWatch(prefix, (ended) => void this.watches.delete(ended));
    const oldest = this.history.oldestAt(this.revision);
    if (this.closed) {
      watch.fail(unavailable("the knowledge base is closed"));
    } else if (fromRevision < oldest && oldest > 1) {
      watch.fail(unavailable(`changes before revision ${oldest} are forgotten: list again`));
    } else {
      for (const change of this.history.from(fromRevision - oldest)) watch.see(change);
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
    return { id, ttlMs, isHeld: () => this.leases.has(id), end: async () => this.endLease(id) };
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

  private remove(key: string, also: readonly Companion[] = []): number | undefined {
    this.leaseOf.delete(key);
    if (!this.entries.delete(key)) return undefined;
    this.revision += 1;
    this.record([{ kind: "delete", key, revision: this.revision }, ...also.map((document) => this.store(document))]);
    return this.revision;
  }

  private store({ key, value }: Companion): Change {
    const entry = { key, value, revision: this.revision };
    this.entries.set(key, entry);
    this.leaseOf.delete(key);
    return { kind: "put", entry };
  }

  private record(changes: readonly Change[]): void {
    this.history.add(changes);
    for (const watch of this.watches) for (const change of changes) watch.see(change);
  }

  /** Everything that a change may fail with, before anything is changed. */
  private check(key: string, { ifRevision, also = [] }: DeleteOptions): void {
    this.checkOpen();
    const all = [{ key, ifRevision }, ...also];
    checkKeys(all.map((one) => one.key));
    for (const one of all) this.checkRevision(one.key, one.ifRevision);
  }

  private checkRevision(key: string, ifRevision: number | undefined): void {
    const current = this.entries.get(key)?.revision ?? 0;
    if (ifRevision !== undefined && ifRevision !== current) throw revisionConflict(key, current, ifRevision);
  }

  private checkOpen(): void {
    if (this.closed) throw unavailable("the knowledge base is closed");
  }
}

function unavailable(message: string): DynamosError {
  return new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, message);
}
