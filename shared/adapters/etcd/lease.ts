/** A lease at etcd: renewed while its holder lives, granted anew with its keys when etcd has let it go. */
import { randomUUID } from "node:crypto";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { Lease } from "#ports/knowledge";
import type { CallOptions, EtcdClient } from "./client.ts";
import type { KeyRange } from "./key-space.ts";
import { EtcdRefusal } from "./refusal.ts";
import type { Header } from "./same-store.ts";

export interface LeaseOptions {
  readonly client: EtcdClient;
  readonly ttlMs: number;
  /** Read to see that whoever renewed it leads the cluster: anything that its holder may read. */
  readonly probe: KeyRange;
  /** Puts all of them under the lease with this id, at one revision, which it returns. */
  restore(values: ReadonlyMap<string, string>, id: string): Promise<number>;
  /** What is to be so before its keys go. */
  beforeEnd(): Promise<void>;
  readonly onEnd: () => void;
}

/** So that one renewal may fail without harm. */
const renewalsPerTtl = 3;

export class EtcdLease implements Lease {
  readonly id = randomUUID();
  /** With the values that were put under it. */
  readonly keys = new Map<string, string>();
  readonly #options: LeaseOptions;
  #etcdId = "0";
  #ttlMs = 0;
  #heldUntil = 0;
  /** Of the store, when the keys were last put again after a loss. */
  #restoredAt = 0;
  #isLost = false;
  #isEnded = false;
  #timer: NodeJS.Timeout | undefined;
  /** Puts and renewals one after the other: what is put again must not be older than what is there. */
  #last: Promise<unknown> = Promise.resolve();

  static async grant(options: LeaseOptions): Promise<EtcdLease> {
    const lease = new EtcdLease(options);
    const sentAt = performance.now();
    await lease.#grant({});
    lease.#heldUntil = sentAt + lease.#ttlMs;
    lease.#schedule();
    return lease;
  }

  private constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** etcd counts in seconds and has a least: what it gave. */
  get ttlMs(): number {
    return this.#ttlMs;
  }

  isHeld(revision: number): boolean {
    const { client } = this.#options;
    if (this.#isEnded || client.isClosed || client.store.isLost) return false;
    return performance.now() < this.#heldUntil && revision >= this.#restoredAt;
  }

  /** @param put with etcd's id of the lease */
  put(key: string, value: string, put: (id: string) => Promise<number>): Promise<number> {
    return this.#inTurn(async () => {
      this.#checkGoesOn();
      const revision = await put(this.#etcdId).catch(async (error: unknown) => {
        if (!(error instanceof EtcdRefusal) || error.reason !== "lease") throw error;
        this.#isLost = true;
        this.#heldUntil = 0;
        await this.#bringBack({});
        return put(this.#etcdId);
      });
      this.keys.set(key, value);
      return revision;
    });
  }

  /** Stops renewing; etcd ends it in time. */
  forget(): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
  }

  async end(): Promise<void> {
    if (this.#isEnded) return;
    this.forget();
    this.#options.onEnd();
    await this.#inTurn(() => this.#revoke());
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      // Out of reach: the next turn tries again, as long as the holder lives.
      this.#inTurn(() => this.#renew())
        .catch(() => {})
        .finally(() => {
          if (!this.#isEnded) this.#schedule();
        });
    }, this.#ttlMs / renewalsPerTtl).unref();
  }

  async #renew(): Promise<void> {
    if (this.#isEnded) return;
    // Soon enough for one more try before it ends.
    const patience = { tryMs: this.#ttlMs / renewalsPerTtl, totalMs: this.#ttlMs / renewalsPerTtl };
    // From the sending on: etcd counts from the receipt, so it never ends there before it has here.
    const sentAt = performance.now();
    const isThere = !this.#isLost && (await this.#keepAlive(patience));
    if (!isThere) {
      this.#isLost = true;
      this.#heldUntil = 0;
      await this.#bringBack(patience);
    }
    this.#heldUntil = sentAt + this.#ttlMs;
  }

  /**
   * A member that was cut off may still take itself for the leader and renew what the others let go: it counts only
   * when the cluster answers in the same term.
   */
  async #keepAlive(patience: CallOptions): Promise<boolean> {
    const { client, probe } = this.#options;
    const { result } = await client.call<KeepAlive>("/v3/lease/keepalive", { ID: this.#etcdId }, patience);
    if (Number(result?.TTL ?? 0) <= 0) return false;
    const query = { ...probe, limit: "1", count_only: true };
    const { header } = await client.call<{ header?: Header }>("/v3/kv/range", query, {
      ...patience,
      isLinearizable: true,
    });
    if (header?.raft_term !== result?.header?.raft_term) throw new EtcdRefusal("endpoint", "the leader has changed");
    this.#ttlMs = Number(result?.TTL) * 1_000;
    return true;
  }

  async #bringBack(patience: CallOptions): Promise<void> {
    const sentAt = performance.now();
    await this.#grant(patience);
    if (this.keys.size > 0) this.#restoredAt = await this.#options.restore(this.keys, this.#etcdId);
    this.#isLost = false;
    this.#heldUntil = sentAt + this.#ttlMs;
  }

  async #grant(patience: CallOptions): Promise<void> {
    const { client, ttlMs } = this.#options;
    const TTL = String(Math.max(1, Math.ceil(ttlMs / 1_000)));
    const { ID = "0", TTL: given } = await client.call<Granted>("/v3/lease/grant", { TTL }, patience);
    this.#etcdId = ID;
    this.#ttlMs = Number(given ?? TTL) * 1_000;
  }

  async #revoke(): Promise<void> {
    if (this.#options.client.isClosed) return;
    await this.#options.beforeEnd();
    try {
      await this.#options.client.call("/v3/lease/revoke", { ID: this.#etcdId });
    } catch (error) {
      // It had ended by itself, or an earlier try has ended it.
      if (!(error instanceof EtcdRefusal) || error.reason !== "lease") throw error;
    }
  }

  #checkGoesOn(): void {
    if (this.#isEnded) throw new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, "the lease has ended");
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}

interface KeepAlive {
  readonly header?: Header;
  readonly result?: { readonly header?: Header; readonly TTL?: string };
}

interface Granted {
  readonly header?: Header;
  readonly ID?: string;
  readonly TTL?: string;
}
