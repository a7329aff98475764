/** One SQL query over a party's own data in a single-use worker: an ordinary process, and a copy of a warm one. */
import { setMaxListeners } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { DataSet, Envelope, Outcome } from "#contracts";
import { toJsonTable } from "#data/table-json";
import { evaluate } from "#domain/policy";
import { forkBackend } from "#runtime/fork-backend";
import { spawnBackend } from "#runtime/spawn-backend";
import { noChunks } from "#runtime/table-flow";
import type { WorkerBackend } from "#runtime/worker-backend";
import { WorkerPool } from "#runtime/worker-pool";
import { approvalEnvironment, signedApproval } from "#testing/approval-keys";
import { wageGapKnowledge, wageGapQuery } from "#testing/wage-gap-knowledge";
import { bundleFunction } from "../build/bundle-function.ts";
import type { BenchResult } from "./bench-result.ts";
import { type Measured, measureWays, type Way, type WaysOptions, wrongOf } from "./measure-ways.ts";
import { childrenOf, cpuMs, pssMib } from "./processes.ts";
import { median, percentile } from "./statistics.ts";

export interface QueryStepBench extends WaysOptions {
  readonly poolSize: number;
}

const home = join(import.meta.dirname, "../..");
const rows = 30_000;
const never = new AbortController().signal;
// Every call in hand listens to it.
setMaxListeners(0, never);
const log = { log: () => {}, with: () => log };

interface WorkersWay extends Way {
  /** Processes that wait for a call. */
  waiting(): readonly number[];
  close(): Promise<void>;
}

export async function benchQueryStep(options: QueryStepBench, say: (line: string) => void): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-bench-"));
  const ways: WorkersWay[] = [];
  try {
    const workers = await workersOf(folder);
    const spawning = spawnBackend(workers);
    const forking = forkBackend({ ...workers, parentEnvironment: workers.environment, network: false });
    await forking.selfTest();
    const parent = () => forking.parentPid;
    const spawned = () => childrenOf(process.pid).filter((pid) => pid !== parent());
    ways.push(await wayOf("spawn, pool", spawning, options.poolSize, { roots: () => [], waiting: spawned }));
    ways.push(
      await wayOf("fork, pool", forking, options.poolSize, {
        roots: () => [parent()],
        waiting: () => childrenOf(parent()),
      }),
    );
    const measured = await measureWays(ways, options, say);
    await wait(options.restMs);
    return resultOf(measured, options.poolSize);
  } finally {
    for (const way of ways) await way.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function workersOf(folder: string) {
  const [bundle, data] = [join(folder, "bundle"), join(folder, "data")];
  await bundleFunction(join(home, "functions/sql-query/handler.ts"), bundle);
  await mkdir(data);
  const lines = Array.from(
    { length: rows },
    (_, i) => `${i};${i % 3 === 0 ? "M" : "V"};${i % 17};19${10 + (i % 80)}0101`,
  );
  await writeFile(join(data, "Personen_UVA.csv"), `Unieknr;Geslacht;Salschal;Gebdat\n${lines.join("\n")}\n`);
  const environment = {
    ...approvalEnvironment,
    PATH: process.env.PATH ?? "",
    NODE_PATH: join(home, "node_modules"),
    data_dir: data,
    cache_dir: join(folder, "cache"),
  };
  return { workerFile: join(bundle, "worker.js"), environment, heapMb: 256, memoryMb: 1_024, startMs: 60_000, log };
}

async function wayOf(
  name: string,
  backend: WorkerBackend,
  poolSize: number,
  { roots, waiting }: { readonly roots: () => readonly number[]; readonly waiting: () => readonly number[] },
): Promise<WorkersWay> {
  const pool = new WorkerPool({ backend, poolSize, concurrency: poolSize, callersWaiting: 1_000, log });
  const once = async () => {
    const envelope = Envelope.encode(asked()).finish();
    const call = { envelope, chunks: noChunks(), take: async () => {} };
    return isRight((await pool.invoke(call, { deadlineMs: Date.now() + 60_000, signal: never })).outcome);
  };
  // The first one imports the file.
  if (!(await once())) throw new Error(`${name} answers wrongly`);
  return { name, once, waiting, cpuMs: () => cpuMs(roots()), close: () => pool.close() };
}

function asked(): Envelope {
  const knowledge = wageGapKnowledge();
  knowledge.dataSets = [
    DataSet.fromPartial({
      name: "wageGap",
      party: "UVA",
      type: "csv",
      delimiter: ";",
      tables: [{ name: "Personen", file: "Personen_UVA.csv" }],
    }),
  ];
  const query = wageGapQuery({
    sql: "SELECT Geslacht, avg(Salschal) AS mean, count(*) AS n FROM Personen GROUP BY Geslacht ORDER BY 1",
    providers: ["UVA"],
  });
  const nowMs = Date.now();
  const { decision } = evaluate(query, "UVA", knowledge, nowMs);
  const terms = decision?.$case === "terms" ? decision.value : undefined;
  if (terms === undefined) throw new Error("UVA refuses");
  const message = { queryId: query.id, query, replyTo: "", attempt: 1, deadlineMs: nowMs + 60_000 };
  const chain = { id: "UVA", party: "UVA", archetype: "computeToData", steps: ["sql-query"], providers: ["UVA"] };
  return Envelope.fromPartial({
    ...message,
    party: "UVA",
    step: "sql-query",
    chain: { ...chain, role: 1 },
    approvals: [signedApproval(message, { provider: "UVA", terms })],
    knowledge,
  } as Envelope);
}

function isRight(outcome: Uint8Array): boolean {
  const { decision } = Outcome.decode(outcome);
  const content = decision?.$case === "forward" ? decision.value.payload?.content : undefined;
  const table = content?.$case === "result" ? content.value.table : undefined;
  if (table === undefined) return false;
  const [men, women] = toJsonTable(table.arrowIpc).rows;
  return men?.[2] === rows / 3 && women?.[2] === (2 * rows) / 3;
}

function resultOf(measured: ReadonlyMap<WorkersWay, Measured>, poolSize: number): BenchResult {
  return {
    title: "One query step",
    about: `sql-query alone: ${rows} rows, two groups; approval, policy, import cache, lock and answer as in a system. Pools hold ${poolSize}.`,
    limit: "The processor time of a worker's start, and of loading the columns that the query names.",
    wrong: wrongOf(measured),
    remarks: [],
    figures: {},
    tables: [
      {
        title: "",
        columns: [
          "way",
          "p50 ms",
          "p95 ms",
          "calls",
          "most/s",
          "CPU ms each",
          "MiB of a waiting worker (PSS)",
          "wrong",
        ],
        rows: [...measured].map(([{ name, waiting }, { pacedMs, perSecond, cpuMsEach, wrong }]) => [
          name,
          percentile(pacedMs, 0.5),
          percentile(pacedMs, 0.95),
          pacedMs.length,
          median(perSecond),
          median(cpuMsEach),
          pssMib(waiting()) / waiting().length,
          wrong,
        ]),
      },
    ],
    plots: [],
  };
}
