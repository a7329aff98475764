/** How much each bench does: enough for figures that hold within twenty minutes on two quiet cores, or a quick look. */
import type { InvocationBench } from "./invocation.ts";
import type { WaysOptions } from "./measure-ways.ts";
import type { WholeQueryBench } from "./whole-query.ts";

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
      ...ways(3, quick ? 2 : 4),
      brokers: ["memory", "classic", "quorum"],
      workers: quick ? ["default", "cold", "long-lived"] : ["default", "fork", "spawn", "cold", "long-lived"],
    },
  };
}

function numberOf(flags: BenchFlags, name: "rounds" | "seconds" | "callers"): number {
  const value = Number(flags[name]);
  if (!(value > 0)) throw new RangeError(`--${name} ${flags[name]}: must be a number above 0`);
  return value;
}
