/** What the processors have used, where the machine tells: RAPL of Linux (Documentation/power/powercap). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = "/sys/class/powercap";
const microPerUnit = 1_000_000;

interface Counter {
  readonly joules: number;
  /** Where it begins again from 0. */
  readonly rangeJoules: number;
}

/** By package, which holds what its cores and memory use; empty: the machine does not tell. */
export type EnergyCounters = ReadonlyMap<string, Counter>;

export function energyNow(from = folder): EnergyCounters {
  const counters = new Map<string, Counter>();
  try {
    for (const name of readdirSync(from).filter((one) => /^intel-rapl:\d+$/.test(one))) {
      const read = (file: string) => Number(readFileSync(join(from, name, file), "latin1")) / microPerUnit;
      counters.set(name, { joules: read("energy_uj"), rangeJoules: read("max_energy_range_uj") });
    }
  } catch {
    return new Map();
  }
  return counters;
}

/** @returns joules, or undefined where the machine does not tell */
export function energyBetween(before: EnergyCounters, after: EnergyCounters): number | undefined {
  if (before.size === 0) return undefined;
  let sum = 0;
  for (const [name, { joules }] of before) {
    const then = after.get(name);
    if (then === undefined) return undefined;
    sum += then.joules >= joules ? then.joules - joules : then.joules + then.rangeJoules - joules;
  }
  return sum;
}
