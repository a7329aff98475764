/** One single-use invocation: reuse, spawn cold, spawn pool, fork on demand, fork pool; interleaved, answers checked. */
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Envelope, Outcome } from "#contracts";
import { textTable } from "../print/text-table.ts";
import { cpuMs, type InvocationWay, invocationWays } from "./invocation-ways.ts";
import { meanOf } from "./mean-step.ts";
import { median, percentile } from "./statistics.ts";

export interface InvocationBench {
  readonly rounds: number;
  readonly pacedCalls: number;
  readonly pauseMs: number;
  readonly saturatedSeconds: number;
  readonly callers: number;
  readonly poolSize: number;
}

interface Measured {
  readonly pacedMs: number[];
  readonly perSecond: number[];
  readonly cpuMsEach: number[];
}

let calls = 0;

/** @returns how many answers were wrong */
export async function benchInvocation(options: InvocationBench, say: (line: string) => void): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-bench-"));
  const ways = await invocationWays(folder, options.poolSize);
  const measured = new Map<InvocationWay, Measured>();
  for (const way of ways) measured.set(way, { pacedMs: [], perSecond: [], cpuMsEach: [] });
  let wrong = 0;
  const timed = async (way: InvocationWay): Promise<number> => {
    const seed = ++calls;
    const envelope = Envelope.encode(Envelope.fromPartial({ queryId: `${seed}`, query: { sql: `${seed}` } })).finish();
    const startedAt = performance.now();
    const outcome = await way.invoke(envelope).catch(() => new Uint8Array(0));
    const tookMs = performance.now() - startedAt;
    if (!isRight(outcome, seed)) wrong += 1;
    return tookMs;
  };
  try {
    for (const way of ways) for (let i = 0; i < 10; i++) await timed(way);
    for (let round = 1; round <= options.rounds; round++) {
      say(`round ${round} of ${options.rounds}, load of the machine ${loadavg()[0]?.toFixed(1)}`);
      for (const [way, { pacedMs }] of measured) {
        for (let i = 0; i < options.pacedCalls; i++) {
          pacedMs.push(await timed(way));
          await wait(options.pauseMs);
        }
      }
      for (const [way, { perSecond, cpuMsEach }] of measured) {
        const cpuBefore = cpuMs(way.pids());
        const { answered, seconds } = await saturated(() => timed(way), options);
        perSecond.push(answered / seconds);
        cpuMsEach.push((cpuMs(way.pids()) - cpuBefore) / answered);
      }
    }
  } finally {
    for (const way of ways) await way.close();
    await rm(folder, { recursive: true, force: true });
  }
  say(report(measured));
  return wrong;
}

async function saturated(once: () => Promise<number>, { saturatedSeconds, callers }: InvocationBench) {
  const startedAt = performance.now();
  let answered = 0;
  const caller = async () => {
    while (performance.now() - startedAt < saturatedSeconds * 1_000) {
      await once();
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { answered, seconds: (performance.now() - startedAt) / 1_000 };
}

function isRight(outcome: Uint8Array, seed: number): boolean {
  const { decision } = Outcome.decode(outcome);
  const content = decision?.$case === "forward" ? decision.value.payload?.content : undefined;
  return content?.$case === "result" && Number(String(content.value.document?.body)) === meanOf(seed);
}

const columns = ["way", "p50 ms", "p95 ms", "p99 ms", "of", "p50 : reused", "calls/s", ": spawn, cold", "CPU ms each"];

function report(measured: ReadonlyMap<InvocationWay, Measured>): string {
  const of = (name: string) => [...measured].find(([way]) => way.name === name)?.[1];
  const reused = median(of("reused")?.pacedMs ?? []);
  const cold = median(of("spawn, cold")?.perSecond ?? []);
  return textTable({
    columns: columns.map((name) => ({ name })),
    rows: [...measured].map(([{ name }, { pacedMs, perSecond, cpuMsEach }]) => [
      name,
      ...[0.5, 0.95, 0.99].map((share) => percentile(pacedMs, share).toFixed(2)),
      String(pacedMs.length),
      (median(pacedMs) / reused).toFixed(1),
      median(perSecond).toFixed(0),
      (median(perSecond) / cold).toFixed(1),
      median(cpuMsEach).toFixed(1),
    ]),
  });
}
