/**
 * The knowledge base: small JSON documents under path-like keys, with one revision counter. Twins: adapters/memory and
 * adapters/etcd. A key begins with `/`, or with `~word/` for what is kept beside the documents, such as
 * their history: who lists or watches `/` does not see it.
 */

export interface Entry {
  readonly key: string;
  /** JSON text. */
  readonly value: string;
  /** Of the last change of this key. */
  readonly revision: number;
}

export type Change =
  | { readonly kind: "put"; readonly entry: Entry }
  | { readonly kind: "delete"; readonly key: string; readonly revision: number };

/** Put together with another change: both or neither, at one revision. */
export interface Companion {
  readonly key: string;
  readonly value: string;
  readonly ifRevision?: number | undefined;
}

export interface DeleteOptions {
  /** Compare and swap: the key's revision must be this; 0: it must not exist. */
  readonly ifRevision?: number | undefined;
  /** In order, after the change itself; no key twice. */
  readonly also?: readonly Companion[];
}

export interface PutOptions extends DeleteOptions {
  /** The key goes when this lease ends. */
  readonly lease?: Lease;
}

/** Kept alive by its holder until `end`; if the holder dies, it ends by itself after its time to live. */
export interface Lease {
  readonly id: string;
  readonly ttlMs: number;
  /**
   * Whether it is held for certain: others may count on what its keys say. After a loss only by a holder that knows
   * the store up to where the keys were put again: what changed meanwhile has not waited for it.
   * @param revision of the store, up to which the holder knows everything
   */
  isHeld(revision: number): boolean;
  /** Deletes its keys at once. */
  end(): Promise<void>;
}

export interface Watch extends AsyncIterable<Change> {
  close(): void;
}

export interface Knowledge {
  get(key: string): Promise<Entry | undefined>;
  /** Sorted by key. `revision` is the store's at the moment of the listing. */
  list(prefix: string): Promise<{ entries: Entry[]; revision: number }>;
  /** @returns the new revision. @throws DynamosError REVISION_CONFLICT, naming the revision that is there */
  put(key: string, value: string, options?: PutOptions): Promise<number>;
  /** @returns the revision of the deletion; undefined, and nothing is changed: there was none. @throws DynamosError REVISION_CONFLICT */
  delete(key: string, options?: DeleteOptions): Promise<number | undefined>;
  /** Every change at or below the prefix, in order, those of one revision one after the other, none left out, from `fromRevision` on (default: from now). */
  watch(prefix: string, fromRevision?: number): Watch;
  /** A lease that renews itself until ended. */
  grant(ttlMs: number): Promise<Lease>;
  close(): Promise<void>;
}
