/** A lease held over gRPC: renewed while its holder lives, granted anew with its keys when the other side has lost it. */
import type { Lease } from "#ports/knowledge";

export interface LeaseCalls {
  grant(ttlMs: number): Promise<string>;
  /** @returns whether it was still there */
  renew(id: string): Promise<boolean>;
  end(id: string): Promise<void>;
  /** @returns the new revision */
  put(key: string, value: string, id: string): Promise<number>;
}

export interface RemoteLease extends Lease {
  /** As the other side knows it; another one after each loss. */
  readonly remoteId: string;
  /** With the values that were put under it. */
  readonly keys: Map<string, string>;
  /** Stops renewing; the other side ends it in time. */
  forget(): void;
}

/** So that one renewal may fail without harm. */
const renewalsPerTtl = 3;

export async function holdLease(calls: LeaseCalls, ttlMs: number, onEnd: () => void): Promise<RemoteLease> {
  let heldUntil = performance.now() + ttlMs;
  const id = await calls.grant(ttlMs);
  const keys = new Map<string, string>();
  let remoteId = id;
  /** Of the store, when the keys were last put again after a loss. */
  let restoredAt = 0;
  let areKeysThere = true;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;

  async function renew(): Promise<void> {
    // From the sending on: the other side counts from the receipt, so it never ends there before it has here.
    const sentAt = performance.now();
    if (!(await calls.renew(remoteId))) {
      heldUntil = 0;
      areKeysThere = false;
      const next = await calls.grant(ttlMs);
      if (ended) return calls.end(next);
      remoteId = next;
    }
    if (!areKeysThere) {
      for (const [key, value] of keys) restoredAt = await calls.put(key, value, remoteId);
      areKeysThere = true;
    }
    heldUntil = sentAt + ttlMs;
  }

  function schedule(): void {
    timer = setTimeout(() => {
      // Out of reach: the next turn tries again, as long as the holder lives.
      renew()
        .catch(() => {})
        .finally(() => {
          if (!ended) schedule();
        });
    }, ttlMs / renewalsPerTtl).unref();
  }

  function forget(): void {
    ended = true;
    clearTimeout(timer);
  }

  schedule();
  return {
    id,
    ttlMs,
    keys,
    get remoteId() {
      return remoteId;
    },
    forget,
    isHeld: (revision) => !ended && performance.now() < heldUntil && revision >= restoredAt,
    end: async () => {
      if (ended) return;
      forget();
      onEnd();
      await calls.end(remoteId);
    },
  };
}
