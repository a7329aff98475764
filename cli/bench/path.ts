/** Where the time of a whole query goes, hop by hop, and the processor time that it takes beside its data steps. */
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { rabbitmqServer, startRabbitmq } from "#testing/rabbitmq";
import { callOrchestrator, type Orchestrator } from "../commands/call-orchestrator.ts";
import { startFromFlags } from "../commands/system-options.ts";
import { demoUser } from "../demo/documents.ts";
import { textTable } from "../print/text-table.ts";
import { descendantsOf, statusFields } from "../system/descendants.ts";
import type { System } from "../system/start-system.ts";
import { watchPath } from "./path-events.ts";
import { hopsOf } from "./path-hops.ts";
import { median, percentile } from "./statistics.ts";

export interface PathOptions {
  readonly queries: number;
  readonly pauseMs: number;
  /** Another stack file; absent: the project's. */
  readonly stack?: string;
  /** Of each query; called around all of them. */
  readonly profile?: <T>(run: () => Promise<T>) => Promise<T>;
}

const query = {
  providers: ["UVA"],
  sql: "SELECT p.Geslacht, s.Salschal FROM Personen p JOIN Aanstellingen s ON p.Unieknr = s.Unieknr AND p.Peildat = s.Peildat",
  algorithm: "average",
};
const warmUpQueries = 10;
const requestsPerMinuteMax = 1_000_000;
const lifetimeS = 86_400;
/** Of proc(5): processor time is counted in these. */
const tickMs = 10;

/** @returns how many answers were wrong */
export async function benchPath(options: PathOptions, say: (line: string) => void): Promise<number> {
  const rabbitmq = rabbitmqServer() === undefined ? undefined : await startRabbitmq();
  if (rabbitmq === undefined) say("SKIPPED: rabbitmq-server is not installed, the path is over the in-memory broker");
  try {
    const flags = { port: "0", broker: rabbitmq?.url ?? "memory", logLevel: "error" } as const;
    const { stack, profile = (run) => run() } = options;
    const system = { ...flags, ...(stack === undefined ? {} : { stack }), requestsPerMinute: requestsPerMinuteMax };
    const running = await startFromFlags(system, () => {});
    try {
      const measured = await profile(() => measure(running.system, options));
      say(report(measured));
      return measured.wrong;
    } finally {
      await running.stop();
    }
  } finally {
    await rabbitmq?.stop();
  }
}

interface Measured {
  readonly wholeMs: number[];
  readonly hopsMs: Map<string, number[]>;
  /** Of all queries together, by process. */
  readonly computedMs: Map<string, number>;
  wrong: number;
}

async function measure({ url: gatewayUrl, issuer }: System, { queries, pauseMs }: PathOptions): Promise<Measured> {
  const token = await issuer.sign({ user: demoUser, roles: ["researcher"] }, lifetimeS);
  const orchestrator = { gatewayUrl, token };
  const measured: Measured = { wholeMs: [], hopsMs: new Map(), computedMs: new Map(), wrong: 0 };
  for (let i = 0; i < warmUpQueries; i++) await callOrchestrator(orchestrator, "POST", "queries", { body: query });
  const path = watchPath();
  const before = computed();
  for (let i = 0; i < queries; i++) {
    await measureOne(orchestrator, path, measured);
    await wait(pauseMs);
  }
  for (const [name, ms] of computed()) measured.computedMs.set(name, (ms - (before.get(name) ?? 0)) / queries);
  path.stop();
  return measured;
}

async function measureOne(
  orchestrator: Orchestrator,
  path: ReturnType<typeof watchPath>,
  measured: Measured,
): Promise<void> {
  path.take();
  const startedAt = performance.now();
  const { status, body, headers } = await callOrchestrator(orchestrator, "POST", "queries", { body: query });
  const endedAt = performance.now();
  if (status !== 200 || body.complete !== true) {
    measured.wrong += 1;
    return;
  }
  // What is settled after the answer belongs to its path too.
  await wait(20);
  measured.wholeMs.push(endedAt - startedAt);
  const hops = hopsOf({ ...path.take(), startedAt, endedAt, serverTiming: headers.get("server-timing") ?? "" });
  for (const [name, ms] of hops) measured.hopsMs.set(name, [...(measured.hopsMs.get(name) ?? []), ms]);
}

/** Processor time so far, of this process and of the functions that see no data. Linux: read from /proc. */
function computed(): Map<string, number> {
  const { user, system } = process.cpuUsage();
  const all = new Map([["gateway and sidecars", (user + system) / 1_000]]);
  for (const pid of descendantsOf(process.pid)) {
    const name = /\/functions\/(orchestrator|policy-enforcer|archetype-selector)\//.exec(commandOf(pid))?.[1];
    const [user = 0, system = 0] = statusFields(pid).slice(11, 13).map(Number);
    if (name !== undefined) all.set(name, (all.get(name) ?? 0) + (user + system) * tickMs);
  }
  return all;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

function report({ wholeMs, hopsMs, computedMs }: Measured): string {
  const row = (name: string, ms: readonly number[]) => [name, tenths(median(ms)), tenths(percentile(ms, 0.95))];
  const hops = textTable(
    {
      columns: [{ name: "hop" }, { name: "median ms", type: "double" }, { name: "p95 ms", type: "double" }],
      rows: [...[...hopsMs].map(([name, ms]) => row(name, ms)), row("whole", wholeMs)],
    },
    { rowsMax: hopsMs.size + 1 },
  );
  const processes = textTable({
    columns: [{ name: "process" }, { name: "processor ms a query", type: "double" }],
    rows: [...computedMs].map(([name, ms]) => [name, tenths(ms)]),
  });
  return `${wholeMs.length} queries, load ${loadavg()[0]?.toFixed(2)}\n${hops}\n\n${processes}`;
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
