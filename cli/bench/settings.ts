/** How much each bench does: enough for figures that hold within half an hour on two quiet cores, or a quick look. */
import type { AtRestBench } from "./at-rest.ts";
import type { GrowthBench } from "./growth.ts";
import type { InvocationBench } from "./invocation.ts";
import type { LargeTablesBench } from "./large-tables.ts";
import type { WaysOptions } from "./measure-ways.ts";
import type { QueryStepBench } from "./query-step.ts";
import type { WholeQueryBench } from "./whole-query.ts";

/** A saturated block of whole queries, in the others' length. */
const queryBlocks = 4;

export interface BenchFlags {
  readonly quick: boolean;
  readonly rounds: string;
  readonly seconds: string;
  readonly callers: string;
}

export interface Settings {
  readonly rounds: number;
  readonly invocation: InvocationBench;
  readonly query: WholeQueryBench;
  readonly queryStep: QueryStepBench;
  readonly rows: LargeTablesBench;
  readonly growth: GrowthBench;
  readonly atRest: AtRestBench;
}

/** @throws RangeError for what is no number above 0 */
export function settingsOf(flags: BenchFlags): Settings {
  const { quick } = flags;
  const [rounds, seconds, callers] = [
    numberOf(flags, "rounds"),
    numberOf(flags, "seconds"),
    numberOf(flags, "callers"),
  ];
  const ways = (perSecond: number, openSeconds: number): WaysOptions => ({
    rounds,
    warmUps: quick ? 2 : 5,
    open: { perSecond, seconds: openSeconds },
    closed: { callers, seconds },
    restMs: 300,
  });
  return {
    rounds,
    invocation: { ...ways(20, quick ? 2 : 6), poolSize: 8 },
    query: {
      ...ways(2.5, quick ? 2 : 4),
      warmUps: quick ? 2 : 10,
      comparedWarmUps: quick ? 2 : 600,
      closed: {
        // Between a query's steps its caller waits: of two cores, as many as elsewhere leave up to a tenth idle.
        callers: callers * 2,
        // Cold spawns answer three queries a second: a block as short as the others' would give no rate.
        seconds: seconds * queryBlocks,
      },
      brokers: quick
        ? { memory: ["default"], classic: ["default", "fused", "cold", "long-lived"], quorum: ["default"] }
        : {
            memory: ["default", "fused", "cold", "long-lived"],
            classic: ["default", "fused", "fork", "spawn", "cold", "long-lived"],
            quorum: ["default", "fused", "cold", "long-lived"],
          },
    },
    queryStep: { ...ways(3, quick ? 2 : 4), poolSize: 4 },
    rows: { sizes: quick ? [10_000, 30_000] : [10_000, 30_000, 250_000, 1_000_000], rounds },
    growth: quick
      ? { parties: [1, 2], callers: [1, 4], relations: [10, 1_000], queries: 3, seconds: 1 }
      : {
          parties: [1, 2, 4, 8],
          callers: [1, 2, 4, 8, 16, 32, 64],
          relations: [10, 100, 1_000, 10_000, 100_000],
          queries: 15,
          seconds: 4,
        },
    atRest: quick
      ? { settleSeconds: 1, restSeconds: 2, queries: 3 }
      : { settleSeconds: 5, restSeconds: 15, queries: 20 },
  };
}

function numberOf(flags: BenchFlags, name: "rounds" | "seconds" | "callers"): number {
  const value = Number(flags[name]);
  if (!(value > 0)) throw new RangeError(`--${name} ${flags[name]}: must be a number above 0`);
  return value;
}
