/** A whole query: both archetypes, three brokers, each kind of workers; the systems are up together and take turns. */
import { rabbitmqServer } from "#testing/rabbitmq";
import { ask, type QueryBody } from "../commands/ask.ts";
import { scenes } from "../demo/scenes.ts";
import type { Workers } from "./bench-bundles.ts";
import type { BenchPlot, BenchResult } from "./bench-result.ts";
import { type BenchBroker, type BenchSystem, startBenchBroker, startBenchSystem } from "./bench-system.ts";
import { type Measured, measureWays, type Way, type WaysOptions, wrongOf } from "./measure-ways.ts";
import type { OpenLoad } from "./offered-pace.ts";
import { cpuMs } from "./processes.ts";
import { sameAnswers } from "./same-answers.ts";
import { median, percentile } from "./statistics.ts";

export interface WholeQueryBench extends WaysOptions {
  readonly brokers: Readonly<Partial<Record<BrokerName, readonly Workers[]>>>;
  /** Of the ways whose queries a second the goals compare. */
  readonly comparedWarmUps: number;
}

export type BrokerName = "memory" | "classic" | "quorum";

interface QueryWay extends Way {
  readonly broker: BrokerName;
  readonly workers: Workers;
  readonly question: string;
}

const brokerNames = { memory: "in memory", classic: "RabbitMQ, classic", quorum: "RabbitMQ, quorum" };
const [atHome, third] = ["computeToData, one provider", "dataThroughTtp, two providers"];

export async function benchWholeQuery(options: WholeQueryBench, say: (line: string) => void): Promise<BenchResult> {
  const closers: (() => Promise<void>)[] = [];
  const remarks: string[] = [];
  try {
    const isThere = rabbitmqServer() !== undefined;
    if (!isThere) remarks.push("SKIPPED: rabbitmq-server is not installed, only the in-memory broker is measured");
    const broker = isThere ? await startBenchBroker() : undefined;
    if (broker !== undefined) closers.push(() => broker.stop());
    const ways: QueryWay[] = [];
    const check = sameAnswers();
    for (const name of brokersOf(options).filter((one) => one === "memory" || isThere)) {
      for (const workers of options.brokers[name] ?? []) {
        say(`starting a system: ${brokerNames[name]}, ${workers}`);
        const system = await startOver(name, workers, broker).catch((error: Error) => error);
        if (system instanceof Error) {
          // The others are measured all the same.
          remarks.push(`FAILED: ${brokerNames[name]}, ${workers}: ${system.message.split("\n")[0]}`);
          say(remarks.at(-1) ?? "");
          continue;
        }
        closers.push(() => system.stop());
        ways.push(...waysOf({ name, workers, system, brokerRoots: broker?.roots ?? [], check, options }));
      }
    }
    return resultOf(await measureWays(ways, options, say), options, remarks);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function startOver(name: BrokerName, workers: Workers, broker: BenchBroker | undefined): Promise<BenchSystem> {
  if (name === "memory" || broker === undefined) return startBenchSystem({ broker: "memory", workers });
  return startBenchSystem({ broker: await broker.url(), queueType: name, workers });
}

interface WaySource {
  readonly name: BrokerName;
  readonly workers: Workers;
  readonly system: BenchSystem;
  readonly brokerRoots: readonly number[];
  readonly check: (question: string, answer: Awaited<ReturnType<typeof ask>>) => boolean;
  readonly options: WholeQueryBench;
}

function brokersOf({ brokers }: WholeQueryBench): BrokerName[] {
  return (Object.keys(brokerNames) as BrokerName[]).filter((name) => brokers[name] !== undefined);
}

/** Of the question that takes more: half as often, for longer. */
function halfOf({ perSecond, seconds }: OpenLoad): OpenLoad {
  return { perSecond: perSecond / 2, seconds: seconds * 1.5 };
}

function waysOf({ name, workers, system, brokerRoots, check, options }: WaySource): QueryWay[] {
  const roots = [...system.roots, ...(name === "memory" ? [] : brokerRoots)];
  return Object.entries(questions()).map(([question, query]) => ({
    name: `${brokerNames[name]}, ${workers}, ${question}`,
    broker: name,
    workers,
    question,
    open: question === atHome ? options.open : halfOf(options.open),
    // Whom the goals speak of is measured once more, and equally warm: V8 compiles a function when it has run so often,
    // and some ways would be measured before that, others after.
    rounds: name === "classic" ? options.rounds : Math.max(1, options.rounds - 1),
    ...(name === "classic" && question === atHome ? { warmUps: options.comparedWarmUps } : {}),
    cpuMs: () => cpuMs(roots),
    once: async () => check(question, await ask(system.orchestrator, query)),
  }));
}

/** The demo's first two. */
export function questions(): Readonly<Record<string, QueryBody>> {
  const [home, ttp] = scenes;
  if (home === undefined || ttp === undefined) throw new Error("the demo has no two questions");
  return { [atHome]: { ...home.query, providers: ["VU"] }, [third]: ttp.query };
}

function resultOf(
  measured: ReadonlyMap<QueryWay, Measured>,
  { open, closed, comparedWarmUps }: WholeQueryBench,
  remarks: readonly string[],
): BenchResult {
  const of = (broker: BrokerName, workers: Workers, question: string) =>
    [...measured].find(([way]) => way.broker === broker && way.workers === workers && way.question === question)?.[1];
  const p50 = (workers: Workers, question = atHome) => median(of("classic", workers, question)?.pacedMs ?? []);
  const rate = (workers: Workers) => median(of("classic", workers, atHome)?.perSecond ?? []);
  return {
    title: "Whole queries",
    about: `From the HTTP request to its whole answer, through the gateway: the demo's first question at one provider (policy, selection, two data steps), and its second through the third party (two providers, one of which anonymises; six data steps). Paced: ${open.perSecond} a second by chance, half as many through the third party, timed from when each was due. Saturated: ${closed.callers} callers, for ${closed.seconds} s. Over RabbitMQ with classic queues, each way has answered the first question ${comparedWarmUps} times before: services that stay are compiled by V8 little by little. All answers to one question must be equal, whichever way gave them. CPU is that of the gateway, sidecars and callers (one process), of all functions with their workers, and of RabbitMQ. Workers: \`default\` as a user gets them (forked where that is sound), \`fork\` and \`spawn\` everywhere, a pool of 2 each; \`fused\` lets the steps of a party that follow its query run in the query's process; \`cold\` starts a process for each call, which rehearses nothing, and \`long-lived\` keeps one process for all: these two are made for this page, no setting gives them.`,
    limit:
      "The processor time of the single-use processes, at 1 to 6 a query, and in them of DuckDB's start. The brokers differ by a few milliseconds a hop.",
    wrong: wrongOf(measured),
    remarks,
    figures: {
      "default : cold, queries/s": rate("default") / rate("cold"),
      "fork : cold, queries/s": rate("fork") / rate("cold"),
      "fused : cold, queries/s": rate("fused") / rate("cold"),
      "fused : long-lived, p50": p50("fused") / p50("long-lived"),
      "default : long-lived, p50": p50("default") / p50("long-lived"),
      "fork : long-lived, p50": p50("fork") / p50("long-lived"),
      "third party : one provider, p50": p50("default", third) / p50("default", atHome),
    },
    tables: [atHome, third].map((question) => tableOf(measured, question)),
    plots: [atHome, third].flatMap((question, at) => plotsOf(measured, question, at === 0 ? "home" : "third")),
  };
}

function tableOf(measured: ReadonlyMap<QueryWay, Measured>, question: string): BenchResult["tables"][number] {
  const ways = [...measured].filter(([way]) => way.question === question);
  return {
    title: question,
    columns: ["broker", "workers", "p50 ms", "p95 ms", "p99 ms", "queries", "most/s", "CPU ms each", "wrong"],
    rows: ways.map(([{ broker, workers }, { pacedMs, perSecond, cpuMsEach, wrong }]) => [
      brokerNames[broker],
      workers,
      ...[0.5, 0.95, 0.99].map((share) => percentile(pacedMs, share)),
      pacedMs.length,
      median(perSecond),
      median(cpuMsEach),
      wrong,
    ]),
  };
}

function plotsOf(measured: ReadonlyMap<QueryWay, Measured>, question: string, file: string): BenchPlot[] {
  const ways = [...measured].filter(([way]) => way.question === question);
  const brokers = [...new Set(ways.map(([{ broker }]) => broker))];
  const seriesOf = (point: (of: Measured) => { y: number; low?: number; high?: number }) =>
    brokers.map((broker) => ({
      name: brokerNames[broker],
      points: ways.filter(([way]) => way.broker === broker).map(([{ workers }, of]) => ({ x: workers, ...point(of) })),
    }));
  return [
    {
      name: `query-latency-${file}`,
      title: `Latency of a query, paced: ${question}`,
      kind: "bars",
      x: "workers",
      y: "p50, ms",
      whiskers: "up to p95",
      series: seriesOf(({ pacedMs }) => ({ y: median(pacedMs), high: percentile(pacedMs, 0.95) })),
    },
    {
      name: `query-rate-${file}`,
      title: `Queries a second, saturated: ${question}`,
      kind: "bars",
      x: "workers",
      y: "queries/s",
      whiskers: "slowest to fastest round",
      series: seriesOf(({ perSecond }) => ({
        y: median(perSecond),
        low: Math.min(...perSecond),
        high: Math.max(...perSecond),
      })),
    },
  ];
}
