/** Where it stands how many queries a user has asked of a provider in the current period, and what. */
import { createHash } from "node:crypto";
import { keys } from "#domain/knowledge-keys";

export interface Used {
  /** Milliseconds since the epoch. */
  readonly periodStartMs: number;
  /** Of the queries, in their order. */
  readonly ids: readonly string[];
}

/** A user's name comes from outside and may hold anything: its hash has a known length and alphabet. */
export function usageKey(provider: string, user: string): string {
  return `${keys.usage}${provider}/${createHash("sha256").update(user).digest("hex")}`;
}

/** Periods follow each other from the epoch on. */
export function periodStartOf(nowMs: number, periodMs: number): number {
  return Math.floor(nowMs / periodMs) * periodMs;
}

/** @param value as it is stored; undefined: nothing is. @returns those of the period that began then */
export function usedSince(periodStartMs: number, value: string | undefined): readonly string[] {
  const used = value === undefined ? undefined : (JSON.parse(value) as Used);
  return used?.periodStartMs === periodStartMs ? used.ids : [];
}
