/** How a whole query's time grows: with the parties in it, the queries at once, and the relations of an agreement. */
import { setTimeout as wait } from "node:timers/promises";
import { agreementKey } from "#domain/knowledge-keys";
import { ask, type QueryBody } from "../commands/ask.ts";
import { demoUser } from "../demo/documents.ts";
import type { BenchPlot, BenchResult, BenchTable } from "./bench-result.ts";
import { type BenchSystem, type BenchSystemOptions, startBenchSystem } from "./bench-system.ts";
import { type DemoData, makeDemoData } from "./demo-bench-data.ts";
import { manyParties } from "./many-parties.ts";
import { type ClosedLoad, closedLoop } from "./offered-pace.ts";
import { median, percentile } from "./statistics.ts";
import { questions } from "./whole-query.ts";

export interface GrowthBench {
  /** At least 1 each, ascending. */
  readonly parties: readonly number[];
  readonly callers: readonly number[];
  readonly relations: readonly number[];
  /** One after the other, for each size. */
  readonly queries: number;
  /** Of a block with callers. */
  readonly seconds: number;
}

interface Size {
  readonly size: number;
  readonly ms: readonly number[];
  readonly perSecond: number;
  /** Refused for the load, and told when to come again; their times are not among the others. */
  readonly sentAway: number;
  readonly wrong: number;
}

type Verdict = "right" | "sent away" | "wrong";
/** As long as the refusal says. */
const sentAwayPauseMs = 1_000;

const [atHome] = Object.values(questions()) as [QueryBody];

export async function benchGrowth(options: GrowthBench, say: (line: string) => void): Promise<BenchResult> {
  const parties = await byParties(options, say);
  const callers = await byCallers(options, say);
  const relations = await byRelations(options, say);
  const wrong = [...parties, ...callers, ...relations].reduce((sum, size) => sum + size.wrong, 0);
  const first = (sizes: readonly Size[]) => median(sizes[0]?.ms ?? []);
  const last = (sizes: readonly Size[]) => median(sizes.at(-1)?.ms ?? []);
  return {
    title: "Growth",
    about: `computeToData over the in-memory broker, workers as a user gets them, ${options.queries} queries one after the other for each size. Parties: providers of one query, which work at the same time; a system of ${Math.max(...options.parties)}. Queries at once: so many callers without a pause, for ${options.seconds} s. Relations: those of the provider's agreement, one a user, of which the query needs one.`,
    limit:
      "The processors: a provider more is two or three processes more for each query, and what is asked at once shares them. An agreement's size costs where it is read, not where a query is decided.",
    wrong,
    remarks: [],
    figures: { "most parties : one, p50": last(parties) / first(parties) },
    tables: [
      tableOf("Parties in a query", "parties", parties, false),
      tableOf("Queries at once", "callers", callers, true),
      tableOf("Relations of an agreement", "relations", relations, false),
    ],
    plots: [
      plotOf("growth-parties", "Time of a query by its parties", "parties", parties),
      plotOf("growth-callers", "Time of a query by the queries at once", "queries at once", callers),
      ratePlot(callers),
      plotOf("growth-relations", "Time of a query by the relations of an agreement", "relations", relations),
    ],
  };
}

async function byParties(options: GrowthBench, say: (line: string) => void): Promise<Size[]> {
  const most = Math.max(...options.parties);
  say(`starting a system of ${most} providers`);
  const many = await manyParties(most);
  try {
    return await inSystem({ broker: "memory", stack: many.stack, data: many }, async (system) => {
      const sizes: Size[] = [];
      // The first of all starts what each provider has for its first query.
      await verdictOf(system, { ...atHome, providers: many.providers }, most);
      for (const count of options.parties) {
        const query = { ...atHome, providers: many.providers.slice(0, count) };
        sizes.push(await oneAfterTheOther(count, options.queries, () => verdictOf(system, query, count)));
        say(`${count} parties: ${median(sizes.at(-1)?.ms ?? []).toFixed(0)} ms`);
      }
      return sizes;
    });
  } finally {
    await many.remove();
  }
}

async function byCallers(options: GrowthBench, say: (line: string) => void): Promise<Size[]> {
  return inSystem({ broker: "memory" }, async (system) => {
    const sizes: Size[] = [];
    for (let i = 0; i < 3; i++) await verdictOf(system, atHome, 1);
    for (const callers of options.callers) {
      sizes.push(await atOnce({ callers, seconds: options.seconds }, () => verdictOf(system, atHome, 1)));
      say(`${callers} at once: ${sizes.at(-1)?.perSecond.toFixed(1)} queries/s`);
    }
    return sizes;
  });
}

async function byRelations(options: GrowthBench, say: (line: string) => void): Promise<Size[]> {
  const sizes: Size[] = [];
  for (const relations of options.relations) {
    const data = await makeDemoData();
    try {
      const size = await inSystem({ broker: "memory", data: withRelations(data, relations) }, async (system) => {
        for (let i = 0; i < 3; i++) await verdictOf(system, atHome, 1);
        return oneAfterTheOther(relations, options.queries, () => verdictOf(system, atHome, 1));
      });
      sizes.push(size);
      say(`${relations} relations: ${median(size.ms).toFixed(0)} ms`);
    } finally {
      await data.remove();
    }
  }
  return sizes;
}

/** The demo's agreement of the one who is asked, with users who do not ask. */
function withRelations(data: DemoData, relations: number): DemoData {
  const key = agreementKey("VU");
  const documents = data.documents.map((document) => {
    if (document.key !== key) return document;
    const agreement = document.value as { relations: Record<string, object> };
    const own = agreement.relations[demoUser] ?? {};
    const small = { ...own, allowedArchetypes: ["computeToData"], allowedComputeProviders: [] };
    const others = Array.from({ length: relations - 1 }, (_, i) => [`user${i}@example.org`, small]);
    return { key, value: { ...agreement, relations: { ...Object.fromEntries(others), [demoUser]: own } } };
  });
  return { ...data, documents };
}

async function inSystem<T>(options: BenchSystemOptions, run: (system: BenchSystem) => Promise<T>): Promise<T> {
  const system = await startBenchSystem(options);
  try {
    return await run(system);
  } finally {
    await system.stop();
  }
}

/** Two groups of each provider, or it does not count. */
async function verdictOf({ orchestrator }: BenchSystem, query: QueryBody, parties: number): Promise<Verdict> {
  const { status, body } = await ask(orchestrator, query);
  if (status === 503 && (body as { readonly code?: string }).code === "OVERLOADED") return "sent away";
  const results = (body.results ?? []) as readonly { readonly rowCount?: number }[];
  const isWhole = status === 200 && body.complete === true && results.length === parties;
  return isWhole && results.every(({ rowCount }) => rowCount === 2) ? "right" : "wrong";
}

async function oneAfterTheOther(size: number, queries: number, once: () => Promise<Verdict>): Promise<Size> {
  return sizeOf(size, once, async (one) => {
    for (let i = 0; i < queries; i++) await one();
  });
}

async function atOnce(load: ClosedLoad, once: () => Promise<Verdict>): Promise<Size> {
  return sizeOf(load.callers, once, async (one) => {
    await closedLoop(load, async () => {
      if ((await one()) === "sent away") await wait(sentAwayPauseMs);
    });
  });
}

async function sizeOf(
  size: number,
  once: () => Promise<Verdict>,
  load: (one: () => Promise<Verdict>) => Promise<void>,
): Promise<Size> {
  const startedAt = performance.now();
  const ms: number[] = [];
  const counts = { right: 0, "sent away": 0, wrong: 0 };
  await load(async () => {
    const askedAt = performance.now();
    const verdict = await once().catch((): Verdict => "wrong");
    counts[verdict] += 1;
    if (verdict !== "sent away") ms.push(performance.now() - askedAt);
    return verdict;
  });
  const perSecond = (ms.length * 1_000) / (performance.now() - startedAt);
  return { size, ms, perSecond, sentAway: counts["sent away"], wrong: counts.wrong };
}

function tableOf(title: string, what: string, sizes: readonly Size[], hasRate: boolean): BenchTable {
  return {
    title,
    columns: [what, "p50 ms", "p95 ms", ...(hasRate ? ["queries/s", "sent away"] : []), "queries", "wrong"],
    rows: sizes.map(({ size, ms, perSecond, sentAway, wrong }) => [
      size,
      median(ms),
      percentile(ms, 0.95),
      ...(hasRate ? [perSecond, sentAway] : []),
      ms.length,
      wrong,
    ]),
  };
}

function plotOf(name: string, title: string, x: string, sizes: readonly Size[]): BenchPlot {
  const points = sizes.map(({ size, ms }) => ({ x: size, y: median(ms), high: percentile(ms, 0.95) }));
  const axes = { x, y: "p50, ms", logX: true } as const;
  return { name, title, kind: "lines", ...axes, whiskers: "up to p95", series: [{ name: "p50", points }] };
}

function ratePlot(sizes: readonly Size[]): BenchPlot {
  const points = sizes.map(({ size, perSecond }) => ({ x: size, y: perSecond }));
  const axes = { x: "queries at once", y: "queries/s", logX: true } as const;
  const title = "Queries a second by the queries at once";
  return { name: "growth-rate", title, kind: "lines", ...axes, whiskers: "", series: [{ name: "rate", points }] };
}
