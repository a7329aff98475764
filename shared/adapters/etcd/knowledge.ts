/** The knowledge base in etcd 3.4 or later, over its JSON gateway: docs/knowledge.md. */
import { ErrorCode } from "#contracts";
import { checkKeys } from "#domain/knowledge-key";
import { DynamosError } from "#errors";
import type { DeleteOptions, Entry, Knowledge, Lease, PutOptions, Watch } from "#ports/knowledge";
import { checkExpected, deletionOf, putOf, restorationOf } from "./changes.ts";
import { EtcdClient, type EtcdClientOptions } from "./client.ts";
import { Commits, type Transaction } from "./commit.ts";
import { type KeySpace, keySpace } from "./key-space.ts";
import { entryOf, listAll, type RangeAnswer } from "./key-values.ts";
import { EtcdLease } from "./lease.ts";
import { Marks } from "./marks.ts";
import { EtcdWatch } from "./watch.ts";

export interface EtcdOptions extends EtcdClientOptions {
  /** Set before every key, as `parseEtcdAddress` gives it. */
  readonly namespace: string;
}

/**
 * Connects with the first call, and again after every loss: watches go on where they were, leases are granted anew
 * with their keys.
 * @throws DynamosError INVALID_REQUEST: certificates without https, or half of a pair
 */
export function connectEtcd(options: EtcdOptions): Knowledge {
  return new EtcdKnowledge(options);
}

/** Marks of who has no user. */
const nobody = "-";

class EtcdKnowledge implements Knowledge {
  readonly #client: EtcdClient;
  readonly #keys: KeySpace;
  readonly #commits: Commits;
  readonly #watches = new Set<EtcdWatch>();
  readonly #leases = new Map<string, EtcdLease>();

  constructor({ namespace, ...options }: EtcdOptions) {
    this.#client = new EtcdClient(options);
    this.#keys = keySpace(namespace);
    this.#commits = new Commits(this.#client, new Marks(this.#client, this.#keys, options.user?.name ?? nobody));
  }

  async get(key: string): Promise<Entry | undefined> {
    const query = { key: this.#keys.encode(key) };
    const { kvs = [] } = await this.#client.call<RangeAnswer>("/v3/kv/range", query, { isLinearizable: true });
    return kvs[0] === undefined ? undefined : entryOf(kvs[0], this.#keys);
  }

  async list(prefix: string): Promise<{ entries: Entry[]; revision: number }> {
    const { keyValues, revision } = await listAll(this.#client, { range: this.#keys.range(prefix) });
    const entries = keyValues.flatMap((one) => entryOf(one, this.#keys) ?? []);
    // etcd sorts by bytes, the port by characters of JavaScript: they differ beyond U+FFFF.
    return { entries: entries.sort((a, b) => (a.key < b.key ? -1 : 1)), revision };
  }

  async put(key: string, value: string, { lease, ...options }: PutOptions = {}): Promise<number> {
    const also = (options.also ?? []).map((one) => one.key);
    checkKeys([key, ...also]);
    const put = async (leaseId?: string) => {
      const committed = await this.#commit(putOf(this.#keys, { key, value }, options, leaseId));
      if ("revision" in committed) return committed.revision;
      checkExpected(key, options, committed.found);
      throw new DynamosError(ErrorCode.INTERNAL, "a transaction failed without a reason");
    };
    const held = this.#heldBy(lease);
    const revision = await (held === undefined ? put() : held.put(key, value, put));
    this.#letGo([...(held === undefined ? [key] : []), ...also]);
    for (const one of this.#leases.values()) if (one !== held) one.keys.delete(key);
    return revision;
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<number | undefined> {
    const also = (options.also ?? []).map((one) => one.key);
    checkKeys([key, ...also]);
    const committed = await this.#commit(deletionOf(this.#keys, key, options));
    if ("revision" in committed) {
      this.#letGo([key, ...also]);
      return committed.revision;
    }
    checkExpected(key, options, committed.found.slice(1));
    this.#letGo([key]);
    return undefined;
  }

  watch(prefix: string, fromRevision?: number): Watch {
    const watch: EtcdWatch = new EtcdWatch({
      client: this.#client,
      keys: this.#keys,
      prefix,
      fromRevision,
      onEnd: () => this.#watches.delete(watch),
    });
    if (this.#client.isClosed) watch.fail(closed());
    else this.#watches.add(watch);
    return watch;
  }

  async grant(ttlMs: number): Promise<Lease> {
    const lease: EtcdLease = await EtcdLease.grant({
      client: this.#client,
      ttlMs,
      probe: this.#keys.range("/"),
      restore: async (values, id) => {
        const committed = await this.#commit(restorationOf(this.#keys, values, id));
        return "revision" in committed ? committed.revision : 0;
      },
      beforeEnd: () => this.#watchesBegun(),
      onEnd: () => this.#leases.delete(lease.id),
    });
    this.#leases.set(lease.id, lease);
    return lease;
  }

  async close(): Promise<void> {
    this.#client.close();
    for (const watch of this.#watches) watch.close();
    for (const lease of this.#leases.values()) lease.forget();
  }

  async #commit(transaction: Transaction) {
    await this.#watchesBegun();
    return this.#commits.commit(transaction);
  }

  /** A watch "from now on" begins before what its holder changes next. */
  async #watchesBegun(): Promise<void> {
    await Promise.all([...this.#watches].map((watch) => watch.begun));
  }

  #heldBy(lease: Lease | undefined): EtcdLease | undefined {
    if (lease === undefined) return undefined;
    if (this.#client.isClosed) throw closed();
    const held = this.#leases.get(lease.id);
    if (held !== undefined) return held;
    throw new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, "the lease has ended");
  }

  /** What is put or deleted without a lease is no lease's any more. */
  #letGo(keys: readonly string[]): void {
    for (const one of this.#leases.values()) for (const key of keys) one.keys.delete(key);
  }
}

function closed(): DynamosError {
  return new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, "the knowledge base is closed");
}
