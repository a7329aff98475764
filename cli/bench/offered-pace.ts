/**
 * Two loads. Open: each call has a time when it is due, whatever became of those before it, and its latency counts
 * from then; a server that stalls makes late what was due meanwhile, and so it shows (Gil Tene, "How NOT to Measure
 * Latency": coordinated omission). Closed: some callers without a pause, for the most that can be answered.
 */
import { setImmediate as turn, setTimeout as wait } from "node:timers/promises";
import { createDraw } from "#data/draw";

export interface OpenLoad {
  readonly perSecond: number;
  readonly seconds: number;
}

export interface ClosedLoad {
  readonly callers: number;
  readonly seconds: number;
}

export interface Closed {
  readonly answered: number;
  readonly seconds: number;
  readonly latenciesMs: readonly number[];
}

/** A timer is late by up to so much; the rest is waited for in turns of the event loop, which answers meanwhile. */
const timerLateMs = 2;
const drawSteps = 1_000_000;

/**
 * When calls are due, in milliseconds from the start: by chance, as callers come who know nothing of each other
 * (Poisson), and the same for the same seed, so that each way meets the same arrivals.
 */
export function arrivalsMs({ perSecond, seconds }: OpenLoad, seed: number): number[] {
  const draw = createDraw(seed);
  const arrivals: number[] = [];
  let atMs = 0;
  for (let i = 0; i < Math.max(1, Math.round(perSecond * seconds)); i++) {
    arrivals.push(atMs);
    atMs += (-Math.log((draw.below(drawSteps) + 1) / drawSteps) * 1_000) / perSecond;
  }
  return arrivals;
}

/** @returns the latency of each call from when it was due, in that order, when the last has ended */
export async function openLoop(arrivals: readonly number[], once: () => Promise<void>): Promise<number[]> {
  const startedAt = performance.now();
  const all: Promise<number>[] = [];
  for (const arrivalMs of arrivals) {
    const dueAt = startedAt + arrivalMs;
    await until(dueAt);
    all.push(once().then(() => performance.now() - dueAt));
  }
  return Promise.all(all);
}

export async function closedLoop({ callers, seconds }: ClosedLoad, once: () => Promise<void>): Promise<Closed> {
  const startedAt = performance.now();
  const latenciesMs: number[] = [];
  const caller = async () => {
    while (performance.now() - startedAt < seconds * 1_000) {
      const askedAt = performance.now();
      await once();
      latenciesMs.push(performance.now() - askedAt);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { answered: latenciesMs.length, seconds: (performance.now() - startedAt) / 1_000, latenciesMs };
}

async function until(dueAt: number): Promise<void> {
  const aheadMs = dueAt - performance.now() - timerLateMs;
  if (aheadMs > 0) await wait(aheadMs);
  while (performance.now() < dueAt) await turn();
}
