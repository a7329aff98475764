/** Keys and values as etcd's JSON has them, and reading many of them as of one revision. */
import { ErrorCode } from "#contracts";
import { isKey } from "#domain/knowledge-key";
import { limits } from "#domain/limits";
import { DynamosError, hasCode } from "#errors";
import type { Entry } from "#ports/knowledge";
import type { EtcdClient } from "./client.ts";
import type { KeyRange, KeySpace } from "./key-space.ts";
import { EtcdRefusal } from "./refusal.ts";
import type { Header } from "./same-store.ts";

/** What is zero or empty is left out. */
export interface KeyValue {
  /** Base64. */
  readonly key: string;
  readonly value?: string;
  readonly mod_revision?: string;
}

export interface RangeAnswer {
  readonly header?: Header;
  readonly kvs?: readonly KeyValue[];
  readonly more?: boolean;
}

export interface ListOptions {
  readonly range: KeyRange;
  /** As of which; absent: now. */
  readonly revision?: number;
  readonly isKeysOnly?: boolean;
  /** Only what was changed since, this revision included. */
  readonly changedSince?: number;
}

export interface Listing {
  /** Sorted by their bytes. */
  readonly keyValues: readonly KeyValue[];
  readonly revision: number;
}

/** A compaction between two pages is rare, and two of them are rarer. */
const listTriesMax = 5;

/** @throws EtcdRefusal `compacted`, `future`: there is no such revision */
export async function listAll(client: EtcdClient, options: ListOptions): Promise<Listing> {
  for (let tries = 1; ; tries++) {
    try {
      return await listOnce(client, options);
    } catch (error) {
      const isPassing = error instanceof EtcdRefusal && error.reason === "compacted" && options.revision === undefined;
      if (!isPassing || tries === listTriesMax) throw error;
    }
  }
}

async function listOnce(client: EtcdClient, options: ListOptions): Promise<Listing> {
  const keyValues: KeyValue[] = [];
  let { key } = options.range;
  let { revision } = options;
  for (;;) {
    const page = await client.call<RangeAnswer>("/v3/kv/range", pageOf(options, key, revision), {
      isLinearizable: true,
    });
    const kvs = page.kvs ?? [];
    for (const one of kvs) keyValues.push(one);
    revision ??= Number(page.header?.revision ?? 0);
    const last = kvs.at(-1);
    if (page.more !== true || last === undefined) return { keyValues, revision };
    key = Buffer.concat([Buffer.from(last.key, "base64"), Buffer.of(0)]).toString("base64");
  }
}

function pageOf({ range, isKeysOnly, changedSince }: ListOptions, key: string, revision: number | undefined): object {
  return {
    key,
    range_end: range.range_end,
    limit: String(limits.etcdPageKeys),
    ...(revision === undefined ? {} : { revision: String(revision) }),
    ...(isKeysOnly === true ? { keys_only: true } : {}),
    ...(changedSince === undefined ? {} : { min_mod_revision: String(changedSince) }),
  };
}

/** @returns undefined: another program's, that no key of ours can be */
export function entryOf({ key, value = "", mod_revision: revision }: KeyValue, keys: KeySpace): Entry | undefined {
  const name = keys.decode(key);
  if (!isKey(name)) return undefined;
  return { key: name, value: Buffer.from(value, "base64").toString("utf8"), revision: Number(revision ?? 0) };
}

/** Whether trying again later can help; nothing else does. */
export function isOutOfReach(error: unknown): boolean {
  if (error instanceof EtcdRefusal) return error.reason === "endpoint" || error.reason === "token";
  return !(error instanceof DynamosError) || hasCode(error, ErrorCode.INTERNAL);
}
