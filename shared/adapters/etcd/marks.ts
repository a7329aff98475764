/**
 * What tells a repeated write from a new one. A connection can be lost after a write was sent: then nobody knows whether
 * it was carried out, and it may still be on its way. So each write changes, in its own transaction, a key that only this
 * process changes, and asks for the revision that this key had before. Of all tries of one write at most one can
 * happen, and the key's revision says afterwards whether and when it has.
 */
import { randomUUID } from "node:crypto";
import { limits } from "#domain/limits";
import type { EtcdClient } from "./client.ts";
import type { KeySpace } from "./key-space.ts";
import type { Header } from "./same-store.ts";

export interface Mark {
  /** Base64. */
  readonly key: string;
  /** With which etcd forgets it in time. */
  readonly lease: string;
  /** That it has; 0: it is not there yet. */
  revision: number;
}

interface Generation {
  readonly lease: string;
  readonly usedUntilMs: number;
  readonly free: Mark[];
}

export class Marks {
  readonly #client: EtcdClient;
  readonly #keys: KeySpace;
  readonly #owner: string;
  readonly #process = randomUUID();
  readonly #waiting: (() => void)[] = [];
  #generation: Promise<Generation> | undefined;
  #made = 0;
  #taken = 0;

  /** @param owner the etcd user, who may write there */
  constructor(client: EtcdClient, keys: KeySpace, owner: string) {
    this.#client = client;
    this.#keys = keys;
    this.#owner = owner;
  }

  /**
   * One that no other write has while this one runs. What the write left unknown must not be used again: it is given back
   * only after an answer.
   */
  async use<Result>(write: (mark: Mark) => Promise<Result>): Promise<Result> {
    if (this.#taken >= limits.etcdWritesAtOnceMax) await new Promise<void>((go) => this.#waiting.push(go));
    this.#taken += 1;
    try {
      const generation = await this.#current();
      const mark = generation.free.pop() ?? this.#new(generation.lease);
      const result = await write(mark);
      generation.free.push(mark);
      return result;
    } finally {
      this.#taken -= 1;
      this.#waiting.shift()?.();
    }
  }

  /** Their lease is gone, with a backup that was restored or a machine that slept. */
  forget(): void {
    this.#generation = undefined;
  }

  async #current(): Promise<Generation> {
    const current = await this.#generation?.catch(() => undefined);
    if (current !== undefined && performance.now() < current.usedUntilMs) return current;
    const next = this.#grant();
    this.#generation = next;
    next.catch(() => this.forget());
    return next;
  }

  async #grant(): Promise<Generation> {
    const usedUntilMs = performance.now() + limits.etcdMarksUsedMs;
    const body = { TTL: String(limits.etcdMarksMs / 1_000) };
    const { ID: lease = "0" } = await this.#client.call<{ header?: Header; ID?: string }>("/v3/lease/grant", body);
    return { lease, usedUntilMs, free: [] };
  }

  #new(lease: string): Mark {
    this.#made += 1;
    return { key: this.#keys.mark(this.#owner, `${this.#process}/${this.#made}`), lease, revision: 0 };
  }
}
