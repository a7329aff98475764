/** Queries that nobody waits for any more, and the invocations that they still have running here. */
import type { Clock } from "#ports/clock";
import { Remembered } from "./remembered.ts";

export interface Cancelled {
  has(queryId: string): boolean;
  /** Aborts what runs for the query and drops what comes later. */
  cancel(queryId: string): void;
  /** Runs with a signal that `cancel` fires. */
  guard<T>(queryId: string, run: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

export function createCancelled(clock: Clock): Cancelled {
  const cancelled = new Remembered<true>(clock);
  const running = new Map<string, Set<AbortController>>();

  return {
    has: (queryId) => cancelled.get(queryId) === true,
    cancel: (queryId) => {
      cancelled.set(queryId, true);
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
