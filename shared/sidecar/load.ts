/** How much of a party's capacity is in hand at one of its sidecars: measured, averaged, and said when it has changed. */

import { limits } from "#domain/limits";
import { isBusy } from "#domain/load";
import { toDynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import type { DeployedStep } from "#ports/invoker";
import type { Log } from "#ports/log";

export interface LoadMeter {
  /** Counts as in hand until it is over. */
  hold<T>(run: () => Promise<T>): Promise<T>;
  /** Averaged, 0 to 1. */
  read(): number;
}

/** @param capacity invocations at once, of all functions together */
export function createLoadMeter(clock: Clock, capacity: () => number): LoadMeter {
  let inHand = 0;
  let average = 0;
  let atMs = clock.now();

  /** Exponentially: what was the case for a time weighs by that time, whenever somebody looks. */
  function read(): number {
    const nowMs = clock.now();
    const share = capacity() === 0 ? 0 : Math.min(1, inHand / capacity());
    average = share + (average - share) * Math.exp(Math.min(0, atMs - nowMs) / limits.loadAverageMs);
    atMs = nowMs;
    return average;
  }

  function change(by: number): void {
    read();
    inHand += by;
  }

  return {
    read,
    hold: async (run) => {
      change(1);
      try {
        return await run();
      } finally {
        change(-1);
      }
    },
  };
}

export function capacityOf(functions: Iterable<DeployedStep>): number {
  return [...functions].reduce((sum, { concurrency }) => sum + concurrency, 0);
}

/** Whether it is worth saying: it crosses the limit from which a party is relieved, or is another than it was. */
export function isNewLoad(said: number, load: number): boolean {
  return isBusy(said) !== isBusy(load) || Math.abs(said - load) > limits.loadChangeMin;
}

export interface SayLoadOptions {
  readonly meter: Pick<LoadMeter, "read">;
  readonly say: (load: number) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** @returns to say no more */
export function sayLoad({ meter, say, clock, log }: SayLoadOptions): () => void {
  let said = 0;
  let stopTimer = () => {};
  let isStopped = false;

  async function look(): Promise<void> {
    const load = inPercent(meter.read());
    try {
      if (isNewLoad(said, load)) {
        await say(load);
        said = load;
      }
    } catch (error) {
      // It is said at the next look, if it is still so.
      if (!isStopped) log.log("warn", "the load can't be said", { reason: toDynamosError(error).message });
    }
    schedule();
  }

  function schedule(): void {
    if (!isStopped) stopTimer = clock.after(limits.loadSaidMs, () => void look());
  }

  schedule();
  return () => {
    isStopped = true;
    stopTimer();
  };
}

/** Downwards, so that what is below the limit stays below it. */
function inPercent(load: number): number {
  return Math.floor(load * 100 + 1e-9) / 100;
}
