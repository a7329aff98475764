/** Queries that nobody waits for any more, and the invocations that they still have running here. */
import { limits } from "#domain/limits";
import type { Clock } from "#ports/clock";

export interface Cancelled {
  has(queryId: string): boolean;
  /** Aborts what runs for the query and drops what comes later. */
  cancel(queryId: string): void;
  /** Runs with a signal that `cancel` fires. */
  guard<T>(queryId: string, run: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

export function createCancelled(clock: Clock): Cancelled {
  /** Query id to the time at which it may be forgotten: no query outlives its longest deadline. */
  const forgetAtMs = new Map<string, number>();
  const running = new Map<string, Set<AbortController>>();

  function forgetOld(): void {
    const now = clock.now();
    for (const [queryId, at] of forgetAtMs) {
      if (at > now) break;
      forgetAtMs.delete(queryId);
    }
  }

  return {
    has: (queryId) => forgetAtMs.has(queryId),
    cancel: (queryId) => {
      forgetOld();
      forgetAtMs.set(queryId, clock.now() + limits.queryTimeoutMsMax);
      for (const controller of running.get(queryId) ?? []) {
        controller.abort();
      }
    },
    guard: async (queryId, run) => {
      const controller = new AbortController();
      const siblings = running.get(queryId) ?? new Set();
      running.set(queryId, siblings.add(controller));
      try {
        return await run(controller.signal);
      } finally {
        siblings.delete(controller);
        if (siblings.size === 0) running.delete(queryId);
      }
    },
  };
}
