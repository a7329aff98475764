/**
 * Ways to one thing, side by side in one run: in blocks that take turns, so that all meet the same machine; each round
 * begins with another way. A block is either paced (open load) or saturated (closed load). Each answer is looked at.
 */
import { loadavg } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { arrivalsMs, type ClosedLoad, closedLoop, type OpenLoad, openLoop } from "./offered-pace.ts";

export interface Way {
  readonly name: string;
  /** @returns whether the answer was right. What it throws counts as wrong */
  once(): Promise<boolean>;
  /** Processor time so far of all that works for it, in milliseconds. */
  cpuMs(): number;
  /** Absent: as of all. */
  readonly open?: OpenLoad;
  /** Absent: as of all; the first of them. */
  readonly rounds?: number;
  /** Calls before the first that is measured. Absent: as of all. */
  readonly warmUps?: number;
}

export interface WaysOptions {
  readonly rounds: number;
  readonly warmUps: number;
  readonly open: OpenLoad;
  readonly closed: ClosedLoad;
  /** Between blocks, for what a block has left to do: pools fill up again. */
  readonly restMs: number;
}

export interface Measured {
  /** Of each paced call, from when it was due. */
  readonly pacedMs: number[];
  /** Of each saturated call. */
  readonly saturatedMs: number[];
  /** Of each saturated block. */
  readonly perSecond: number[];
  readonly cpuMsEach: number[];
  wrong: number;
}

export async function measureWays<Each extends Way>(
  ways: readonly Each[],
  options: WaysOptions,
  say: (line: string) => void,
): Promise<Map<Each, Measured>> {
  const measured = new Map<Each, Measured>();
  for (const way of ways) {
    measured.set(way, { pacedMs: [], saturatedMs: [], perSecond: [], cpuMsEach: [], wrong: 0 });
  }
  const onceOf = (way: Each) => async () => {
    const fault = await faultOf(way);
    const of = measured.get(way);
    if (fault === undefined || of === undefined) return;
    if (of.wrong === 0) say(`WRONG: ${way.name}: ${fault}`);
    of.wrong += 1;
  };
  say(`warming up ${ways.length} ways`);
  for (const way of ways) await warmUp(onceOf(way), way.warmUps ?? options.warmUps, options.closed.callers);
  for (let round = 1; round <= options.rounds; round++) {
    say(`round ${round} of ${options.rounds}, load of the machine ${loadavg()[0]?.toFixed(1)}`);
    const turns = [...measured].map((_, at, all) => all[(at + round - 1) % all.length] as [Each, Measured]);
    const wanted = turns.filter(([{ rounds = options.rounds }]) => round <= rounds);
    for (const [way, of] of wanted)
      await paced(onceOf(way), of, { ...options, ...(way.open && { open: way.open }) }, round);
    for (const [way, of] of wanted) await saturated(way, onceOf(way), of, options);
  }
  return measured;
}

/** By as many callers as load it later: it is the service of many calls that is measured, not its start. */
async function warmUp(once: () => Promise<void>, calls: number, callers: number): Promise<void> {
  let left = calls;
  const call = async () => {
    while (left-- > 0) await once();
  };
  await Promise.all(Array.from({ length: callers }, call));
}

async function faultOf(way: Way): Promise<string | undefined> {
  try {
    return (await way.once()) ? undefined : "not the answer that it should be";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function paced(once: () => Promise<void>, of: Measured, { open, restMs }: WaysOptions, seed: number) {
  of.pacedMs.push(...(await openLoop(arrivalsMs(open, seed), once)));
  await wait(restMs);
}

async function saturated(way: Way, once: () => Promise<void>, of: Measured, { closed, restMs }: WaysOptions) {
  const cpuBefore = way.cpuMs();
  const { answered, seconds, latenciesMs } = await closedLoop(closed, once);
  of.perSecond.push(answered / seconds);
  of.saturatedMs.push(...latenciesMs);
  await wait(restMs);
  // After the rest: what the block has caused is its own.
  of.cpuMsEach.push((way.cpuMs() - cpuBefore) / Math.max(1, answered));
}

/** Answers that were wrong, of all ways. */
export function wrongOf(measured: ReadonlyMap<unknown, Measured>): number {
  return [...measured.values()].reduce((sum, { wrong }) => sum + wrong, 0);
}
