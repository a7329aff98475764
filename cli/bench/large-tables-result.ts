/** What large tables came to, as tables and pictures. */
import type { QueryBody } from "../commands/ask.ts";
import type { BenchPlot, BenchResult } from "./bench-result.ts";
import type { Downloaded } from "./download-rows.ts";
import type { MemoryPeak } from "./memory-peak.ts";
import { median } from "./statistics.ts";

export interface Way {
  readonly archetype: Archetype;
  readonly rows: number;
  readonly asked: Asked;
  readonly query: QueryBody;
  readonly runs: Downloaded[];
  memory: MemoryPeak | undefined;
  wrong: number;
}

export const archetypes = ["computeToData", "dataThroughTtp"] as const;
export type Archetype = (typeof archetypes)[number];

/** What is preferred, by how a way is called. */
export const preferences = { "when whole": "", "first rows first": "first-rows" } as const;
export type Asked = keyof typeof preferences;
export const allAsked = Object.keys(preferences) as Asked[];

export function resultOf(ways: readonly Way[], remarks: readonly string[]): BenchResult {
  const share = (rows: number) => {
    const way = wayAmong(ways, { archetype: "dataThroughTtp", rows, asked: "first rows first" });
    return median(way?.runs.map(({ firstMs, wholeMs }) => firstMs / wholeMs) ?? []);
  };
  return {
    title: "Large tables",
    about:
      "All rows of a table of four columns, asked for as NDJSON and read to the end by a client that parses each row. computeToData: the rows of one provider. dataThroughTtp: half of them at each of two providers, united by the third party. Each is answered when it is whole, and with its first rows first (`Prefer: first-rows`), which asks twice: for 256 rows of each provider, and for all. The CSV files have been imported by a query before; each query waits until the one before has been over for 300 ms; the first row is counted from the request. Memory: once more, looked at four times a second, the highest sum of PSS; the gateway and the sidecars share a process with the client.",
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
    plots: [
      timePlot(ways, "computeToData", "rows-time-home"),
      timePlot(ways, "dataThroughTtp", "rows-time-third"),
      memoryPlot(ways),
    ],
  };
}

type WayKey = Pick<Way, "archetype" | "rows" | "asked">;

function wayAmong(ways: readonly Way[], { archetype, rows, asked }: WayKey): Way | undefined {
  return ways.find((way) => way.rows === rows && way.archetype === archetype && way.asked === asked);
}

function wholeMsOf(ways: readonly Way[], archetype: Archetype, rows: number): number[] {
  return wayAmong(ways, { archetype, rows, asked: "when whole" })?.runs.map(({ wholeMs }) => wholeMs) ?? [];
}

function timePlot(ways: readonly Way[], archetype: Archetype, name: string): BenchPlot {
  const points = (asked: Asked, value: (run: Downloaded) => number) =>
    ways
      .filter((way) => way.archetype === archetype && way.asked === asked && way.runs.length > 0)
      .map(({ rows, runs }) => {
        const values = runs.map(value);
        return { x: rows, y: median(values), low: Math.min(...values), high: Math.max(...values) };
      });
  return {
    name,
    title: `Time of a table, ${archetype}`,
    kind: "lines",
    x: "rows",
    y: "seconds",
    logX: true,
    logY: true,
    whiskers: "fastest to slowest round",
    series: [
      { name: "all rows", points: points("when whole", ({ wholeMs }) => wholeMs / 1_000) },
      { name: "first row, when whole", points: points("when whole", ({ firstMs }) => firstMs / 1_000) },
      { name: "first row, first", points: points("first rows first", ({ firstMs }) => firstMs / 1_000) },
    ],
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
