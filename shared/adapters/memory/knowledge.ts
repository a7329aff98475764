/** The embedded knowledge base: one process, one revision counter, every change kept for a while so that a watch can resume. */
import { randomUUID } from "node:crypto";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import type { Change, Entry, Knowledge, Lease, PutOptions, Watch } from "#ports/knowledge";

const historyMax = 10_000;
const keyCharsMax = 512;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be in a key.
const validKey = /^\/[^\u0000-\u001f\u007f]*$/;

export function createMemoryKnowledge({ clock }: { clock: Clock }): Knowledge {
  const entries = new Map<string, Entry>();
  const leaseOf = new Map<string, string>();
  const history: Change[] = [];
  const watches = new Set<MemoryWatch>();
  const leases = new Map<string, () => void>();
  let revision = 0;

  function record(change: Change): void {
    history.push(change);
    if (history.length > historyMax) history.shift();
    for (const watch of watches) watch.see(change);
  }

  function check(key: string, ifRevision: number | undefined): void {
    if (!validKey.test(key) || key.length > keyCharsMax) {
      throw new DynamosError(
        ErrorCode.INVALID_REQUEST,
        `a key begins with / and has at most ${keyCharsMax} printable characters`,
      );
    }
    const current = entries.get(key)?.revision ?? 0;
    if (ifRevision !== undefined && ifRevision !== current) {
      const there = current === 0 ? "does not exist" : `is at revision ${current}`;
      throw new DynamosError(ErrorCode.REVISION_CONFLICT, `${key} ${there}, expected ${ifRevision}`);
    }
  }

  function remove(key: string): boolean {
    leaseOf.delete(key);
    if (!entries.delete(key)) return false;
    revision += 1;
    record({ kind: "delete", key, revision });
    return true;
  }

  return {
    get: async (key) => entries.get(key),
    list: async (prefix) => ({
      entries: [...entries.values()]
        .filter(({ key }) => key.startsWith(prefix))
        .sort((a, b) => (a.key < b.key ? -1 : 1)),
      revision,
    }),
    put: async (key, value, { ifRevision, lease }: PutOptions = {}) => {
      check(key, ifRevision);
      if (lease !== undefined && !leases.has(lease.id)) {
        throw new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, "the lease has ended");
      }
      revision += 1;
      const entry = { key, value, revision };
      entries.set(key, entry);
      if (lease === undefined) leaseOf.delete(key);
      else leaseOf.set(key, lease.id);
      record({ kind: "put", entry });
      return revision;
    },
    delete: async (key, { ifRevision } = {}) => {
      check(key, ifRevision);
      return remove(key);
    },
    watch: (prefix, fromRevision) => {
      const watch = new MemoryWatch(prefix, () => watches.delete(watch));
      const oldest = history[0] === undefined ? revision + 1 : revisionOf(history[0]);
      if (fromRevision !== undefined && fromRevision < oldest && fromRevision <= revision) {
        watch.fail(
          new DynamosError(
            ErrorCode.KNOWLEDGE_UNAVAILABLE,
            `changes before revision ${oldest} are forgotten: list again`,
          ),
        );
        return watch;
      }
      for (const change of history) {
        if (fromRevision !== undefined && revisionOf(change) >= fromRevision) watch.see(change);
      }
      watches.add(watch);
      return watch;
    },
    grant: async (ttlMs) => {
      const id = randomUUID();
      const renew = () => leases.set(id, clock.after(ttlMs, renew));
      renew();
      const lease: Lease = {
        id,
        ttlMs,
        end: async () => {
          leases.get(id)?.();
          leases.delete(id);
          for (const [key, holder] of leaseOf) if (holder === id) remove(key);
        },
      };
      return lease;
    },
    close: async () => {
      for (const stop of leases.values()) stop();
      leases.clear();
      for (const watch of watches) watch.close();
    },
  };
}

function revisionOf(change: Change): number {
  return change.kind === "put" ? change.entry.revision : change.revision;
}

class MemoryWatch implements Watch {
  private readonly prefix: string;
  private readonly onClose: () => void;
  private readonly changes: Change[] = [];
  private wake: () => void = () => {};
  private closed = false;
  private error: DynamosError | undefined;

  constructor(prefix: string, onClose: () => void) {
    this.prefix = prefix;
    this.onClose = onClose;
  }

  see(change: Change): void {
    const key = change.kind === "put" ? change.entry.key : change.key;
    if (key.startsWith(this.prefix)) {
      this.changes.push(change);
      this.wake();
    }
  }

  fail(error: DynamosError): void {
    this.error = error;
    this.wake();
  }

  close(): void {
    this.closed = true;
    this.onClose();
    this.wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Change> {
    try {
      for (;;) {
        const next = this.changes.shift();
        if (next !== undefined) yield next;
        else if (this.error !== undefined) throw this.error;
        else if (this.closed) return;
        else {
          await new Promise<void>((resume) => {
            this.wake = resume;
          });
        }
      }
    } finally {
      this.onClose();
    }
  }
}
