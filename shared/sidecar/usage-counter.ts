/** Counts what agreements count: how many queries a user has asked of a provider in the current period. */
import { type Agreement, type Envelope, ErrorCode, type Usage } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError, hasCode } from "#errors";
import type { Clock } from "#ports/clock";
import type { Knowledge } from "#ports/knowledge";
import type { KnowledgeCache } from "./knowledge-cache.ts";
import { periodStartOf, type Used, usageKey, usedSince } from "./usage-key.ts";

export interface UsageCounter {
  /**
   * Counts a query at each provider that counts, once however often it is planned or delivered again.
   * @returns for each of them, how many came before it; the maximum when there is no place left
   * @throws DynamosError KNOWLEDGE_UNAVAILABLE
   */
  count(envelope: Envelope): Promise<Usage[]>;
}

export interface UsageCounterOptions {
  readonly knowledge: Knowledge;
  readonly cache: Pick<KnowledgeCache, "about">;
  readonly clock: Clock;
}

export function createUsageCounter({ knowledge, cache, clock }: UsageCounterOptions): UsageCounter {
  async function countAt(agreement: Agreement, user: string, queryId: string): Promise<Usage[]> {
    const quota = agreement.relations[user]?.queriesPerPeriod;
    if (quota === undefined) return [];
    const key = usageKey(agreement.name, user);
    const periodStartMs = periodStartOf(clock.now(), quota.periodMs);
    for (let tries = 0; tries < limits.usageTriesMax; tries++) {
      const entry = await knowledge.get(key);
      const ids = usedSince(periodStartMs, entry?.value);
      const place = ids.indexOf(queryId);
      const queries = place === -1 ? ids.length : place;
      if (place !== -1 || queries >= quota.max) return [{ provider: agreement.name, queries }];
      const next: Used = { periodStartMs, ids: [...ids, queryId] };
      if (await isPut(key, next, entry?.revision ?? 0)) return [{ provider: agreement.name, queries }];
    }
    throw new DynamosError(ErrorCode.KNOWLEDGE_UNAVAILABLE, `too many at once count the queries of ${agreement.name}`);
  }

  /** Others of the exchange's sidecars count too. */
  async function isPut(key: string, used: Used, ifRevision: number): Promise<boolean> {
    try {
      await knowledge.put(key, JSON.stringify(used), { ifRevision });
      return true;
    } catch (error) {
      if (hasCode(error, ErrorCode.REVISION_CONFLICT)) return false;
      throw error;
    }
  }

  return {
    count: async ({ queryId, query }) => {
      const user = query?.user?.name ?? "";
      const { agreements } = cache.about(query?.providers ?? [], user);
      return (await Promise.all(agreements.map((agreement) => countAt(agreement, user, queryId)))).flat();
    },
  };
}
