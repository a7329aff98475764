/** A lease held over gRPC: renewed while its holder lives, granted anew with its keys when the other side has lost it. */
import type { Lease } from "#ports/knowledge";

export interface LeaseCalls {
  grant(ttlMs: number): Promise<string>;
  /** @returns whether it was still there */
  renew(id: string): Promise<boolean>;
  end(id: string): Promise<void>;
  put(key: string, value: string, id: string): Promise<void>;
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
  const id = await calls.grant(ttlMs);
  const keys = new Map<string, string>();
  let remoteId = id;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;

  async function renew(): Promise<void> {
    if (await calls.renew(remoteId)) return;
    const next = await calls.grant(ttlMs);
    if (ended) return calls.end(next);
    remoteId = next;
    for (const [key, value] of keys) await calls.put(key, value, remoteId);
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
    end: async () => {
      if (ended) return;
      forget();
      onEnd();
      await calls.end(remoteId);
    },
  };
}
