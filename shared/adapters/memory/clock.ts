import type { Clock } from "#ports/clock";

export interface MemoryClock extends Clock {
  /** Moves time on and calls back what falls due, in order of time. */
  turn(byMs: number): void;
  /** Waits that are neither over nor prevented. */
  readonly pending: number;
}

/** A clock that stands still until a test turns it. */
export function createMemoryClock(startMs = 0): MemoryClock {
  let nowMs = startMs;
  const waits = new Set<{ dueMs: number; callback: () => void }>();

  function nextUntil(endMs: number) {
    let next: { dueMs: number; callback: () => void } | undefined;
    for (const wait of waits) {
      if (wait.dueMs <= endMs && (next === undefined || wait.dueMs < next.dueMs)) next = wait;
    }
    return next;
  }

  return {
    now: () => nowMs,
    after: (delayMs, callback) => {
      const wait = { dueMs: nowMs + Math.max(0, delayMs), callback };
      waits.add(wait);
      return () => void waits.delete(wait);
    },
    turn: (byMs) => {
      const endMs = nowMs + byMs;
      for (let next = nextUntil(endMs); next !== undefined; next = nextUntil(endMs)) {
        waits.delete(next);
        nowMs = next.dueMs;
        next.callback();
      }
      nowMs = endMs;
    },
    get pending() {
      return waits.size;
    },
  };
}
