/** Many rows through both archetypes: the whole time, the time to the first row, and what the processes hold meanwhile. */
import { setTimeout as wait } from "node:timers/promises";
import { rabbitmqServer } from "#testing/rabbitmq";
import type { BenchResult } from "./bench-result.ts";
import { type BenchSystem, startBenchBroker, startBenchSystem } from "./bench-system.ts";
import { type Downloaded, downloadRows } from "./download-rows.ts";
import { idSum, makeLargeTables, rowsQuery } from "./large-data.ts";
import {
  type Archetype,
  type Asked,
  allAsked,
  archetypes,
  preferences,
  resultOf,
  type Way,
} from "./large-tables-result.ts";
import { watchMemory } from "./memory-peak.ts";

const restMs = 300;

export interface LargeTablesBench {
  /** Even numbers: the third party unites two halves. */
  readonly sizes: readonly number[];
  readonly rounds: number;
}

export async function benchLargeTables(options: LargeTablesBench, say: (line: string) => void): Promise<BenchResult> {
  const closers: (() => Promise<void>)[] = [];
  const remarks: string[] = [];
  try {
    say("writing the tables");
    const data = await makeLargeTables(options.sizes);
    closers.push(data.remove);
    const broker = rabbitmqServer() === undefined ? undefined : await startBenchBroker();
    if (broker === undefined) remarks.push("SKIPPED: rabbitmq-server is not installed; over the in-memory broker");
    else closers.push(() => broker.stop());
    const system = await startBenchSystem({ broker: (await broker?.url()) ?? "memory", data });
    closers.push(() => system.stop());
    const ways = options.sizes.flatMap((rows) =>
      archetypes.flatMap((archetype) => allAsked.map((asked) => wayOf(archetype, rows, asked))),
    );
    await measure(ways, options, system, say);
    say("once more, looking at the memory");
    const parts = { functions: system.roots, RabbitMQ: broker?.roots ?? [], "gateway and sidecars": [] };
    for (const way of ways) {
      const watch = watchMemory(parts);
      await once(way, system, say).finally(() => {
        way.memory = watch.stop();
      });
    }
    return resultOf(ways, remarks);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

function wayOf(archetype: Archetype, rows: number, asked: Asked): Way {
  return { archetype, rows, asked, query: rowsQuery(archetype, rows), runs: [], memory: undefined, wrong: 0 };
}

async function measure(
  ways: readonly Way[],
  { rounds }: LargeTablesBench,
  system: BenchSystem,
  say: (line: string) => void,
): Promise<void> {
  say("first, with the import of the CSV files");
  for (const way of ways) await once(way, system, say);
  for (let round = 1; round <= rounds; round++) {
    for (const way of ways) {
      // What the one before has left to do is not this one's.
      await wait(restMs);
      const run = await once(way, system, say);
      if (run !== undefined) way.runs.push(run);
      say(`round ${round} of ${rounds}: ${nameOf(way)}: ${run?.wholeMs.toFixed(0) ?? "failed"} ms`);
    }
  }
}

function nameOf({ rows, archetype, asked }: Way): string {
  return `${rows} rows, ${archetype}, ${asked}`;
}

async function once(
  way: Way,
  { orchestrator }: BenchSystem,
  say: (line: string) => void,
): Promise<Downloaded | undefined> {
  const run = await downloadRows(orchestrator, way.query, preferences[way.asked]).catch((error: Error) => error);
  if ("rows" in run && run.rows === way.rows && run.idSum === idSum(way.rows, way.archetype)) return run;
  const fault = "rows" in run ? `${run.rows} rows came, whose ids add up to ${run.idSum}` : run.message;
  say(`WRONG: ${nameOf(way)}: ${fault}`);
  way.wrong += 1;
  return undefined;
}
