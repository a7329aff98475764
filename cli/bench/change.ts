/**
 * How soon a change of an agreement has its effect: from the PUT that takes a user out to its answer, which says that
 * nothing more leaves, and to the end of each query that ran; over both brokers, side by side in one run.
 */
import { setTimeout as wait } from "node:timers/promises";
import { rabbitmqServer, startRabbitmq } from "#testing/rabbitmq";
import { callOrchestrator, type Orchestrator } from "../commands/call-orchestrator.ts";
import { startFromFlags } from "../commands/system-options.ts";
import { demoUser } from "../demo/documents.ts";
import type { BenchResult, Cell } from "./bench-result.ts";
import { percentile } from "./statistics.ts";

export interface ChangeBench {
  readonly rounds: number;
  /** Queries that run when the change comes. */
  readonly queries: number;
}

interface Way {
  readonly broker: string;
  readonly researcher: Orchestrator;
  readonly steward: Orchestrator;
  readonly putMs: number[];
  readonly stoppedMs: number[];
  /** From the answer that allows it again to the answer of a query. */
  readonly backMs: number[];
  wrong: number;
}

/** Runs for longer than anybody waits here, and holds little. */
const long = `SELECT count(*) AS n FROM Personen a, Personen b, Personen c
  WHERE a.Unieknr + b.Unieknr + c.Unieknr = 0`;
const short = "SELECT Geslacht FROM Personen LIMIT 1";
const startMs = 700;
const lifetimeS = 86_400;

export async function benchChange(options: ChangeBench, say: (line: string) => void): Promise<BenchResult> {
  const closers: (() => Promise<void>)[] = [];
  try {
    const ways: Way[] = [];
    for (const { broker, url } of await brokers(closers, say)) {
      say(`starting the system over ${broker}`);
      const { system, stop } = await startFromFlags({ port: "0", broker: url, logLevel: "error" }, () => {});
      closers.push(stop);
      const as = async (bearer: Parameters<typeof system.issuer.sign>[0]) => ({
        gatewayUrl: system.url,
        token: await system.issuer.sign(bearer, lifetimeS),
      });
      ways.push({
        broker,
        researcher: await as({ user: demoUser, roles: ["researcher"] }),
        steward: await as({ user: "steward@uva.example", roles: ["steward"], party: "UVA" }),
        putMs: [],
        stoppedMs: [],
        backMs: [],
        wrong: 0,
      });
    }
    for (let round = 1; round <= options.rounds; round++) {
      say(`round ${round} of ${options.rounds}`);
      for (const way of ways) await measure(way, options);
    }
    return resultOf(ways, options);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function brokers(closers: (() => Promise<void>)[], say: (line: string) => void) {
  const memory = { broker: "memory", url: "memory" };
  if (rabbitmqServer() === undefined) {
    say("SKIPPED: rabbitmq-server is not installed, only the in-memory broker is measured");
    return [memory];
  }
  const rabbitmq = await startRabbitmq();
  closers.push(() => rabbitmq.stop());
  return [memory, { broker: "RabbitMQ", url: rabbitmq.url }];
}

async function measure(way: Way, { queries }: ChangeBench): Promise<void> {
  const { body: agreed } = await callOrchestrator(way.steward, "GET", "agreements/UVA");
  const ask = (sql: string) =>
    callOrchestrator(way.researcher, "POST", "queries", { body: { providers: ["UVA"], sql, timeoutMs: 60_000 } });
  let changedAt = Number.POSITIVE_INFINITY;
  const running = Array.from({ length: queries }, async () => {
    const { status } = await ask(long);
    if (status !== 403) way.wrong += 1;
    way.stoppedMs.push(performance.now() - changedAt);
  });
  await wait(startMs);
  changedAt = performance.now();
  await put(way, { ...agreed, relations: {} });
  way.putMs.push(performance.now() - changedAt);
  await Promise.all(running);
  await put(way, agreed);
  const allowedAt = performance.now();
  if ((await ask(short)).status !== 200) way.wrong += 1;
  way.backMs.push(performance.now() - allowedAt);
}

async function put({ steward }: Way, agreement: object): Promise<void> {
  const { headers } = await callOrchestrator(steward, "GET", "agreements/UVA");
  const ifMatch = { "if-match": headers.get("etag") ?? "" };
  const answer = await callOrchestrator(steward, "PUT", "agreements/UVA", { body: agreement, headers: ifMatch });
  const waiting = answer.headers.get("dynamos-waiting");
  if (answer.status !== 200 || waiting !== null) throw new Error(`PUT: ${answer.status}, waiting for ${waiting}`);
}

const kinds = {
  "PUT to its answer": (way: Way) => way.putMs,
  "PUT to the refusal of a running query": (way: Way) => way.stoppedMs,
  "allowed again to a query's answer": (way: Way) => way.backMs,
};

function resultOf(ways: readonly Way[], { rounds, queries }: ChangeBench): BenchResult {
  const rows = ways.flatMap((way) =>
    Object.entries(kinds).map(([what, of]): Cell[] => [
      way.broker,
      what,
      ...[0.5, 0.95, 0.99, 1].map((share) => percentile(of(way), share)),
      of(way).length,
    ]),
  );
  return {
    title: "A change of an agreement",
    about: `${rounds} times for each broker, in turns; ${queries} queries run when the change comes, and each must end with a refusal; the one that follows must be answered.`,
    limit: "The way to every sidecar and back, and the end of the processes that ran what is not allowed any more.",
    wrong: ways.reduce((sum, { wrong }) => sum + wrong, 0),
    remarks: [],
    figures: {},
    tables: [{ title: "", columns: ["broker", "what", "p50 ms", "p95 ms", "p99 ms", "most ms", "of"], rows }],
    plots: [
      {
        name: "change",
        title: "From a change of an agreement to its effect",
        kind: "bars",
        x: "",
        y: "p50, ms",
        whiskers: "up to p95",
        series: ways.map((way) => ({
          name: way.broker,
          points: Object.entries(kinds).map(([what, of]) => ({
            x: what.replace("PUT to the refusal of a running query", "PUT to the refusal"),
            y: percentile(of(way), 0.5),
            high: percentile(of(way), 0.95),
          })),
        })),
      },
    ],
  };
}
