/** Runs one scenario: who does what when, as the executors of k6 do it. */
import { setTimeout as wait } from "node:timers/promises";
import type { Crew } from "./crew.ts";
import type { Iteration } from "./messages.ts";
import type { ScenarioPlan, Stage } from "./script-options.ts";
import type { VirtualUser } from "./virtual-user.ts";

export interface ScenarioRun {
  readonly plan: ScenarioPlan;
  readonly crew: Crew;
  readonly data: unknown;
  /** At the end of each iteration; `error`: it threw. */
  ended(scenario: string, error?: string): void;
  /** Of an arrival for which there was nobody. */
  dropped(scenario: string): void;
}

type Plan<E extends ScenarioPlan["executor"]> = Extract<ScenarioPlan, { executor: E }>;

/** No arrival is later than this for the timer's sake. */
const tickMsMax = 1_000;

/** Resolves when its last iteration has ended. */
export async function runScenario(run: ScenarioRun): Promise<void> {
  const { plan } = run;
  await wait(plan.startMs);
  const startTimeMs = Date.now();
  let iterationInTest = 0;

  async function iterate(user: VirtualUser, progress: number): Promise<void> {
    const { name, exec, executor } = plan;
    const scenario: Iteration["scenario"] = {
      name,
      executor,
      startTimeMs,
      progress,
      iterationInTest: iterationInTest++,
    };
    try {
      await user.run({ exec, data: run.data, scenario });
      run.ended(name);
    } catch (error) {
      run.ended(name, error instanceof Error ? error.message : String(error));
    }
  }

  if (plan.executor === "arrival-rate") return byArrivals(plan, run, iterate);
  if (plan.executor === "constant-vus") {
    const isOver = () => Date.now() - startTimeMs >= plan.forMs;
    const progress = () => (Date.now() - startTimeMs) / plan.forMs;
    return byUsers(plan.vus, run, async (user) => {
      while (!isOver()) await iterate(user, progress());
    });
  }
  return byIterations(plan, run, startTimeMs, iterate);
}

type Iterate = (user: VirtualUser, progress: number) => Promise<void>;

async function byIterations(
  plan: Plan<"shared-iterations" | "per-vu-iterations">,
  run: ScenarioRun,
  startTimeMs: number,
  iterate: Iterate,
): Promise<void> {
  const total = plan.executor === "shared-iterations" ? plan.iterations : plan.iterations * plan.vus;
  let begun = 0;
  await byUsers(plan.vus, run, async (user) => {
    const ownMax = plan.executor === "shared-iterations" ? total : plan.iterations;
    for (let own = 0; own < ownMax && begun < total && Date.now() - startTimeMs < plan.maxMs; own++) {
      begun += 1;
      await iterate(user, (begun - 1) / total);
    }
  });
}

async function byUsers(count: number, { crew, plan }: ScenarioRun, work: (user: VirtualUser) => Promise<void>) {
  await Promise.all(
    Array.from({ length: count }, async () => {
      const user = await crew.take();
      if (user === undefined) throw new Error(`scenario ${plan.name}: not enough virtual users`);
      await work(user);
      crew.giveBack(user);
    }),
  );
}

/** Open: each arrival has its time, whoever is still busy; an arrival without anybody free is dropped, and counted. */
async function byArrivals(plan: Plan<"arrival-rate">, run: ScenarioRun, iterate: Iterate): Promise<void> {
  const startedAtMs = performance.now();
  const wholeMs = plan.stages.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const inHand = new Set<Promise<void>>();

  async function arrive(progress: number): Promise<void> {
    const user = inHand.size >= plan.vusMax ? undefined : await run.crew.take();
    if (user === undefined) return run.dropped(plan.name);
    await iterate(user, progress);
    run.crew.giveBack(user);
  }

  for (const atMs of arrivalsMs(plan.startPerMs, plan.stages, plan.unitMs)) {
    await waitUntil(startedAtMs + atMs);
    const one = arrive(atMs / wholeMs).finally(() => inHand.delete(one));
    inHand.add(one);
  }
  await waitUntil(startedAtMs + wholeMs);
  await Promise.all(inHand);
}

async function waitUntil(atMs: number): Promise<void> {
  for (let leftMs = atMs - performance.now(); leftMs > 0; leftMs = atMs - performance.now()) {
    await wait(Math.min(leftMs, tickMsMax));
  }
}

/**
 * Times of arrivals: the n-th is when the integral of the rate reaches n. In a stage the rate goes evenly from the
 * one before it to its own.
 */
export function* arrivalsMs(startPerMs: number, stages: readonly Stage[], unitMs: number): Generator<number> {
  let [fromMs, perMs, due] = [0, startPerMs, 0];
  for (const { target, durationMs } of stages) {
    const slope = durationMs === 0 ? 0 : (target / unitMs - perMs) / durationMs;
    const arrivedAt = (ms: number) => perMs * ms + (slope * ms * ms) / 2;
    const inStage = arrivedAt(durationMs);
    for (; due < inStage - 1e-9; due += 1) yield fromMs + timeOf(due, perMs, slope);
    due -= inStage;
    fromMs += durationMs;
    perMs = target / unitMs;
  }
}

/** When `count` have come, at a rate that begins with `perMs` and changes by `slope` each millisecond. */
function timeOf(count: number, perMs: number, slope: number): number {
  if (slope === 0) return count / perMs;
  return (Math.sqrt(Math.max(0, perMs * perMs + 2 * slope * count)) - perMs) / slope;
}
