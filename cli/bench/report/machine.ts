/** What the machine is, and how quiet it was. */
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { rabbitmqServer } from "#testing/rabbitmq";
import { median, spread } from "../statistics.ts";

export interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  /** Absent: none is installed. */
  readonly rabbitmq: string | undefined;
}

export interface Quiet {
  /** Processes that run or wait to, over the last minute. */
  readonly load: number;
  /** Share of the last ten seconds in which somebody waited for a processor; absent: the kernel does not say. */
  readonly waiting: number | undefined;
  /** A fixed loop, again and again. */
  readonly loopMs: number;
  /** How far its times are apart, as a share of the middle one. */
  readonly loopSpread: number;
}

export function machineOf(): Machine {
  return {
    processor: cpus()[0]?.model.trim() || "unknown",
    processors: cpus().length,
    memoryGib: totalmem() / 2 ** 30,
    kernel: release(),
    node: process.versions.node,
    rabbitmq: /rabbitmq_server-([\d.]+)/.exec(rabbitmqServer() ?? "")?.[1],
  };
}

const loopTimes = 15;
const loopSteps = 10_000_000;

/** Takes a quarter of a second on a quiet machine. */
export function quietNow(): Quiet {
  const times = Array.from({ length: loopTimes }, loopOnce);
  const load = loadavg()[0] ?? 0;
  return { load, waiting: waitingShare(), loopMs: median(times), loopSpread: spread(times) };
}

let kept = 0;

function loopOnce(): number {
  const startedAt = performance.now();
  for (let i = 0; i < loopSteps; i++) kept = (Math.imul(kept, 31) + i) | 0;
  return performance.now() - startedAt;
}

/** Pressure stall information (Documentation/accounting/psi.rst of Linux). */
function waitingShare(): number | undefined {
  try {
    const some = /^some avg10=([\d.]+)/m.exec(readFileSync("/proc/pressure/cpu", "latin1"))?.[1];
    return some === undefined ? undefined : Number(some) / 100;
  } catch {
    return undefined;
  }
}
