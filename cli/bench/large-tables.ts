/** Many rows through both archetypes: the whole time, the time to the first row, and what the processes hold meanwhile. */
import { rabbitmqServer } from "#testing/rabbitmq";
import type { QueryBody } from "../commands/ask.ts";
import type { BenchPlot, BenchResult } from "./bench-result.ts";
import { type BenchSystem, startBenchBroker, startBenchSystem } from "./bench-system.ts";
import { type Downloaded, downloadRows } from "./download-rows.ts";
import { idSum, makeLargeTables, rowsQuery } from "./large-data.ts";
import { type MemoryPeak, watchMemory } from "./memory-peak.ts";
import { median } from "./statistics.ts";

export interface LargeTablesBench {
  /** Even numbers: the third party unites two halves. */
  readonly sizes: readonly number[];
  readonly rounds: number;
}

interface Way {
  readonly archetype: Archetype;
  readonly rows: number;
  readonly asked: Asked;
  readonly query: QueryBody;
  readonly runs: Downloaded[];
  memory: MemoryPeak | undefined;
  wrong: number;
}

const archetypes = ["computeToData", "dataThroughTtp"] as const;
type Archetype = (typeof archetypes)[number];

/** What is preferred, by how a way is called. */
const preferences = { "when whole": "", "first rows first": "first-rows" } as const;
type Asked = keyof typeof preferences;
const asked = Object.keys(preferences) as Asked[];

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
      archetypes.flatMap((archetype) => asked.map((asked) => wayOf(archetype, rows, asked))),
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

function resultOf(ways: readonly Way[], remarks: readonly string[]): BenchResult {
  const share = (rows: number) => {
    const way = wayAmong(ways, { archetype: "dataThroughTtp", rows, asked: "first rows first" });
    return median(way?.runs.map(({ firstMs, wholeMs }) => firstMs / wholeMs) ?? []);
  };
  return {
    title: "Large tables",
    about:
      "All rows of a table of four columns, asked for as NDJSON and read to the end by a client that parses each row. computeToData: the rows of one provider. dataThroughTtp: half of them at each of two providers, united by the third party. Each is answered when it is whole, and with its first rows first (`Prefer: first-rows`), which asks twice: for 1,024 rows of each provider, and for all. The CSV files have been imported by a query before; the first row is counted from the request. Memory: once more, looked at four times a second, the highest sum of PSS; the gateway and the sidecars share a process with the client.",
    limit:
      "Each row is made once, written to the answer's format once, and copied by every hop; through the third party all chunks pass RabbitMQ three times. Memory is bounded by batches and chunks, not by the table.",
    wrong: ways.reduce((sum, { wrong }) => sum + wrong, 0),
    remarks,
    figures: {
      "250,000 rows through the third party, first rows first, first row : whole time": share(250_000),
      "30,000 rows, whole ms": median(wholeMsOf(ways, "computeToData", 30_000)),
    },
    tables: [
      {
        title: "",
        columns: [
          "rows",
          "archetype",
          "answered",
          "whole ms",
          "slowest ms",
          "first row ms",
          "first : whole",
          "rows/s",
          "wrong",
        ],
        rows: ways.map(({ rows, archetype, asked, runs, wrong }) => {
          const whole = runs.map(({ wholeMs }) => wholeMs);
          const first = median(runs.map(({ firstMs }) => firstMs));
          const cells = [
            median(whole),
            Math.max(...whole),
            first,
            first / median(whole),
            (rows / median(whole)) * 1_000,
          ];
          return [rows, archetype, asked, ...cells, wrong];
        }),
      },
      {
        title: "Highest memory, MiB",
        columns: [
          "rows",
          "archetype",
          "answered",
          "functions with workers",
          "RabbitMQ",
          "gateway, sidecars, client",
          "all together",
        ],
        rows: ways.map(({ rows, archetype, asked, memory }) => [
          rows,
          archetype,
          asked,
          memory?.parts.functions ?? null,
          memory?.parts.RabbitMQ ?? null,
          memory?.parts["gateway and sidecars"] ?? null,
          memory?.together ?? null,
        ]),
      },
    ],
    plots: [timePlot(ways), memoryPlot(ways)],
  };
}

type WayKey = Pick<Way, "archetype" | "rows" | "asked">;

function wayAmong(ways: readonly Way[], { archetype, rows, asked }: WayKey): Way | undefined {
  return ways.find((way) => way.rows === rows && way.archetype === archetype && way.asked === asked);
}

function wholeMsOf(ways: readonly Way[], archetype: Archetype, rows: number): number[] {
  return wayAmong(ways, { archetype, rows, asked: "when whole" })?.runs.map(({ wholeMs }) => wholeMs) ?? [];
}

function timePlot(ways: readonly Way[]): BenchPlot {
  const series = archetypes.flatMap((archetype) => {
    const points = (asked: Asked, value: (run: Downloaded) => number) =>
      ways
        .filter((way) => way.archetype === archetype && way.asked === asked && way.runs.length > 0)
        .map(({ rows, runs }) => {
          const values = runs.map(value);
          return { x: rows, y: median(values), low: Math.min(...values), high: Math.max(...values) };
        });
    return [
      { name: `${archetype}, all rows`, points: points("when whole", ({ wholeMs }) => wholeMs / 1_000) },
      { name: `${archetype}, first`, points: points("when whole", ({ firstMs }) => firstMs / 1_000) },
      {
        name: `${archetype}, first where preferred`,
        points: points("first rows first", ({ firstMs }) => firstMs / 1_000),
      },
    ];
  });
  return {
    name: "rows-time",
    title: "Time of a table",
    kind: "lines",
    x: "rows",
    y: "seconds",
    logX: true,
    logY: true,
    whiskers: "fastest to slowest round",
    series,
  };
}

function memoryPlot(ways: readonly Way[]): BenchPlot {
  const series = archetypes.map((archetype) => ({
    name: archetype,
    points: ways
      .filter((way) => way.archetype === archetype && way.asked === "when whole" && way.memory !== undefined)
      .map(({ rows, memory }) => ({ x: rows, y: memory?.together ?? 0 })),
  }));
  return {
    name: "rows-memory",
    title: "Highest memory of all processes",
    kind: "lines",
    x: "rows",
    y: "MiB, PSS",
    logX: true,
    whiskers: "",
    series,
  };
}
