/** One single-use invocation: reuse, spawn cold, spawn pool, fork on demand, fork pool; side by side, answers checked. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Envelope, Outcome } from "#contracts";
import type { BenchPlot, BenchResult } from "./bench-result.ts";
import { type InvocationWay, invocationWays } from "./invocation-ways.ts";
import { meanOf } from "./mean-step.ts";
import { type Measured, measureWays, type Way, type WaysOptions, wrongOf } from "./measure-ways.ts";
import { cpuMs } from "./processes.ts";
import { median, percentile } from "./statistics.ts";

export interface InvocationBench extends WaysOptions {
  readonly poolSize: number;
}

let calls = 0;

export async function benchInvocation(options: InvocationBench, say: (line: string) => void): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-bench-"));
  const ways = await invocationWays(folder, options.poolSize);
  try {
    return resultOf(await measureWays(ways.map(measurable), options, say), options);
  } finally {
    for (const way of ways) await way.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function measurable({ name, invoke, pids }: InvocationWay): Way {
  return {
    name,
    cpuMs: () => cpuMs(pids()),
    once: async () => {
      const seed = ++calls;
      const envelope = Envelope.fromPartial({ queryId: `${seed}`, query: { sql: `${seed}` } });
      return isRight(await invoke(Envelope.encode(envelope).finish()), seed);
    },
  };
}

function isRight(outcome: Uint8Array, seed: number): boolean {
  const { decision } = Outcome.decode(outcome);
  const content = decision?.$case === "forward" ? decision.value.payload?.content : undefined;
  return content?.$case === "result" && Number(String(content.value.document?.body)) === meanOf(seed);
}

function resultOf(measured: ReadonlyMap<Way, Measured>, options: InvocationBench): BenchResult {
  const of = (name: string) => [...measured].find(([way]) => way.name === name)?.[1];
  const p50 = (name: string) => median(of(name)?.pacedMs ?? []);
  const rate = (name: string) => median(of(name)?.perSecond ?? []);
  const { open, closed, poolSize } = options;
  return {
    title: "One invocation",
    about: `One step (the mean of a thousand numbers, an answer of 400 bytes), from the same bundle, five ways. Paced: ${open.perSecond} a second by chance (Poisson), timed from when each was due. Saturated: ${closed.callers} callers without a pause. Pools hold ${poolSize}. "reused" is one process that stays: no isolation, the least that the same code can take.`,
    limit:
      "The processor time of a start: the kernel's copying of pages and Node's own beginning. The rate is the processors divided by that time; pools hide it from whoever calls, up to that rate.",
    wrong: wrongOf(measured),
    remarks: [],
    figures: {
      "fork pool : spawn cold, invocations/s": rate("fork, pool") / rate("spawn, cold"),
      "fork pool : reused, p50": p50("fork, pool") / p50("reused"),
    },
    tables: [
      {
        title: "",
        columns: [
          "way",
          "p50 ms",
          "p95 ms",
          "p99 ms",
          "calls",
          "p50 : reused",
          "most/s",
          ": spawn, cold",
          "CPU ms each",
          "wrong",
        ],
        rows: [...measured].map(([{ name }, { pacedMs, perSecond, cpuMsEach, wrong }]) => [
          name,
          ...[0.5, 0.95, 0.99].map((share) => percentile(pacedMs, share)),
          pacedMs.length,
          median(pacedMs) / p50("reused"),
          median(perSecond),
          median(perSecond) / rate("spawn, cold"),
          median(cpuMsEach),
          wrong,
        ]),
      },
    ],
    plots: plotsOf(measured),
  };
}

function plotsOf(measured: ReadonlyMap<Way, Measured>): BenchPlot[] {
  const common = { kind: "bars", x: "way", logY: true } as const;
  return [
    {
      ...common,
      name: "invocation-latency",
      title: "Latency of one invocation, paced",
      y: "p50, ms",
      whiskers: "up to p95",
      series: [
        {
          name: "p50",
          points: [...measured].map(([{ name }, { pacedMs }]) => ({
            x: name,
            y: median(pacedMs),
            high: percentile(pacedMs, 0.95),
          })),
        },
      ],
    },
    {
      ...common,
      name: "invocation-rate",
      title: "Invocations a second, saturated",
      y: "invocations/s",
      whiskers: "slowest to fastest round",
      series: [
        {
          name: "most",
          points: [...measured].map(([{ name }, { perSecond }]) => ({
            x: name,
            y: median(perSecond),
            low: Math.min(...perSecond),
            high: Math.max(...perSecond),
          })),
        },
      ],
    },
  ];
}
