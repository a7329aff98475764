/** What each part of the system holds and does when nobody asks, and what a query costs it. */
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { rabbitmqServer } from "#testing/rabbitmq";
import { ask } from "../commands/ask.ts";
import type { BenchResult, Cell } from "./bench-result.ts";
import { type BenchSystem, startBenchBroker, startBenchSystem } from "./bench-system.ts";
import { type EnergyCounters, energyBetween, energyNow } from "./energy.ts";
import { cpuMs, pssMib, treeCpuMs, treeOf } from "./processes.ts";
import { sameAnswers } from "./same-answers.ts";
import { questions } from "./whole-query.ts";

export interface AtRestBench {
  /** Until what the start has left to do is done. */
  readonly settleSeconds: number;
  readonly restSeconds: number;
  /** Of each question, one after the other. */
  readonly queries: number;
}

interface Part {
  readonly name: string;
  /** Empty: this process. */
  readonly roots: readonly number[];
}

interface Look {
  readonly cpuMs: ReadonlyMap<Part, number>;
  readonly energy: EnergyCounters;
  readonly atMs: number;
}

const ownPart = "gateway, knowledge base and the asker";

export async function benchAtRest(options: AtRestBench, say: (line: string) => void): Promise<BenchResult> {
  const remarks: string[] = [];
  const broker = rabbitmqServer() === undefined ? undefined : await startBenchBroker();
  if (broker === undefined)
    remarks.push("SKIPPED: rabbitmq-server is not installed; sidecars share the gateway's process");
  try {
    const sidecars = broker === undefined ? "in-process" : "processes";
    const system = await startBenchSystem({ broker: (await broker?.url()) ?? "memory", sidecars });
    try {
      const parts = [
        ...partsOf(system.roots),
        ...(broker === undefined ? [] : [{ name: "RabbitMQ", roots: broker.roots }]),
      ];
      return await measure([...parts, { name: ownPart, roots: [] }], options, system, remarks, say);
    } finally {
      await system.stop();
    }
  } finally {
    await broker?.stop();
  }
}

async function measure(
  parts: readonly Part[],
  { settleSeconds, restSeconds, queries }: AtRestBench,
  system: BenchSystem,
  remarks: string[],
  say: (line: string) => void,
): Promise<BenchResult> {
  const check = sameAnswers();
  let wrong = 0;
  const askAll = async (name: string, query: Parameters<typeof ask>[1], times: number) => {
    for (let i = 0; i < times; i++) if (!check(name, await ask(system.orchestrator, query))) wrong += 1;
  };
  for (const [name, query] of Object.entries(questions())) await askAll(name, query, 3);
  say(`at rest for ${settleSeconds + restSeconds} s`);
  await wait(settleSeconds * 1_000);
  const before = look(parts);
  await wait(restSeconds * 1_000);
  const rest = between(before, look(parts));
  const memory = new Map(parts.map((part) => [part, pssMib(pidsOf(part))]));
  const costs = new Map<string, Cost>();
  for (const [name, query] of Object.entries(questions())) {
    say(`${queries} queries: ${name}`);
    const start = look(parts);
    await askAll(name, query, queries);
    await wait(settleMs);
    costs.set(name, between(start, look(parts)));
  }
  if (rest.joules === undefined) {
    remarks.push("The machine tells no energy (no RAPL under /sys/class/powercap): processor time stands for it.");
  }
  return resultOf({ parts, memory, rest, costs, queries, wrong, remarks });
}

/** For the pools to be full again: that too is what the queries cost. */
const settleMs = 2_000;

interface Cost {
  readonly cpuMs: ReadonlyMap<Part, number>;
  readonly joules: number | undefined;
  readonly ms: number;
}

function look(parts: readonly Part[]): Look {
  const cpu = new Map(parts.map((part) => [part, part.roots.length === 0 ? cpuMs([]) : treeCpuMs(part.roots)]));
  return { cpuMs: cpu, energy: energyNow(), atMs: performance.now() };
}

function between(before: Look, after: Look): Cost {
  const cpu = [...after.cpuMs].map(([part, ms]): [Part, number] => [part, ms - (before.cpuMs.get(part) ?? 0)]);
  return { cpuMs: new Map(cpu), joules: energyBetween(before.energy, after.energy), ms: after.atMs - before.atMs };
}

function pidsOf({ roots }: Part): number[] {
  return roots.length === 0 ? [process.pid] : treeOf(roots);
}

/** By what they run: the functions of several parties that run the same step together. */
function partsOf(roots: readonly number[]): Part[] {
  const byName = new Map<string, number[]>();
  for (const pid of roots) {
    const name = nameOf(pid);
    byName.set(name, [...(byName.get(name) ?? []), pid]);
  }
  return [...byName].map(([name, pids]) => ({
    name: pids.length > 1 ? `${name} (${pids.length})` : name,
    roots: pids,
  }));
}

function nameOf(pid: number): string {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
    const bundle = /functions\/([^/]+)\/index\.js/.exec(line)?.[1];
    return bundle ?? (/\bsidecar\b/.test(line) ? "sidecar" : "other");
  } catch {
    return "other";
  }
}

interface AtRest {
  readonly parts: readonly Part[];
  readonly memory: ReadonlyMap<Part, number>;
  readonly rest: Cost;
  readonly costs: ReadonlyMap<string, Cost>;
  readonly queries: number;
  readonly wrong: number;
  readonly remarks: readonly string[];
}

function resultOf({ parts, memory, rest, costs, queries, wrong, remarks }: AtRest): BenchResult {
  const row = (part: Part): Cell[] => [
    part.name,
    pidsOf(part).length,
    memory.get(part) ?? null,
    ((rest.cpuMs.get(part) ?? 0) / rest.ms) * 100,
    ...[...costs.values()].map((cost) => (cost.cpuMs.get(part) ?? 0) / queries),
  ];
  const rows = parts.map(row);
  const totals = [1, 2, 3, ...[...costs.keys()].map((_, at) => 4 + at)].map((at) =>
    rows.reduce((sum, cells) => sum + Number(cells[at]), 0),
  );
  const energy = rest.joules === undefined ? [] : [energyTable(rest, costs, queries)];
  return {
    title: "At rest, and what a query costs",
    about: `Over RabbitMQ, each sidecar a process of its own (here from the TypeScript sources, whose loader is in its figure), workers as a user gets them. At rest: for ${(rest.ms / 1_000).toFixed(0)} s nobody asks. Then ${queries} queries of each kind, one after the other: the processor time of every process, with that of its children that have ended, divided by the queries; in seconds it is a thousandth of that.`,
    limit:
      "At rest: the processes that wait ready, above all those that have loaded DuckDB. RabbitMQ's own memory grows with what has passed through it.",
    wrong,
    remarks,
    figures: { "MiB at rest": totals[1] ?? Number.NaN },
    tables: [
      {
        title: "",
        columns: [
          "part",
          "processes",
          "MiB at rest",
          "% of a core at rest",
          ...[...costs.keys()].map((name) => `CPU ms a query: ${name}`),
        ],
        rows: [...rows, ["all together", ...totals]],
      },
      ...energy,
    ],
    plots: [
      {
        name: "rest-memory",
        title: "Memory at rest, by part",
        kind: "bars",
        x: "part",
        y: "MiB, PSS",
        whiskers: "",
        series: [{ name: "at rest", points: parts.map((part) => ({ x: shortName(part), y: memory.get(part) ?? 0 })) }],
      },
    ],
  };
}

/** Under a bar. */
function shortName({ name }: Part): string {
  return name === ownPart
    ? "gateway"
    : name.replace("archetype-selector", "selector").replace("policy-enforcer", "enforcer");
}

function energyTable(rest: Cost, costs: ReadonlyMap<string, Cost>, queries: number): BenchResult["tables"][number] {
  const watts = (rest.joules ?? 0) / (rest.ms / 1_000);
  const rows = [...costs].map(([name, { joules = 0, ms }]): Cell[] => [
    name,
    joules / queries,
    (joules - watts * (ms / 1_000)) / queries,
  ]);
  return {
    title: `Energy (RAPL); ${watts.toFixed(1)} W at rest`,
    columns: ["question", "J a query", "above rest"],
    rows,
  };
}
