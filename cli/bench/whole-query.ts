/**
 * A whole query, over the in-memory broker and over RabbitMQ, side by side in one run: the two
 * systems are up together and take turns in blocks, so that both meet the same machine.
 */
import { rabbitmqServer, startRabbitmq } from "#testing/rabbitmq";
import { type AnsweredQuery, ask, type Orchestrator, type QueryBody } from "../commands/ask.ts";
import { startFromFlags } from "../commands/system-options.ts";
import { demoUser } from "../demo/documents.ts";
import { scenes } from "../demo/scenes.ts";
import { textTable } from "../print/text-table.ts";
import type { System } from "../system/start-system.ts";
import { median, percentile } from "./statistics.ts";

export interface BenchOptions {
  /** Blocks of each way; more than one, interleaved. */
  readonly rounds: number;
  /** Queries of one block, one after the other, with a pause between. */
  readonly pacedQueries: number;
  readonly pauseMs: number;
  /** Seconds of one block without pauses, and the callers in it. */
  readonly saturatedSeconds: number;
  readonly callers: number;
}

interface Way {
  readonly broker: string;
  readonly archetype: string;
  readonly orchestrator: Orchestrator;
  readonly query: QueryBody;
  readonly pacedMs: number[];
  readonly perSecond: number[];
  wrong: number;
}

export async function benchWholeQuery(options: BenchOptions, say: (line: string) => void): Promise<number> {
  const closers: (() => Promise<void>)[] = [];
  try {
    const brokers = [{ broker: "memory", url: "memory" }];
    if (rabbitmqServer() === undefined) {
      say("SKIPPED: rabbitmq-server is not installed, only the in-memory broker is measured");
    } else {
      say("starting a RabbitMQ");
      const rabbitmq = await startRabbitmq();
      closers.push(() => rabbitmq.stop());
      brokers.push({ broker: "RabbitMQ", url: rabbitmq.url });
    }
    const ways: Way[] = [];
    for (const { broker, url } of brokers) {
      say(`starting the system over ${broker}`);
      const running = await startFromFlags(
        { port: "0", broker: url, logLevel: "error", requestsPerMinute: requestsPerMinuteMax },
        () => {},
      );
      closers.push(running.stop);
      ways.push(...(await waysOf(broker, running.system)));
    }
    await measure(ways, options, say);
    say(report(ways));
    return ways.reduce((sum, { wrong }) => sum + wrong, 0);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

/** One subject asks all questions of a measurement, as fast as they are answered. */
const requestsPerMinuteMax = 1_000_000;
const lifetimeS = 86_400;

async function waysOf(broker: string, { url: gatewayUrl, issuer }: System): Promise<Way[]> {
  const token = await issuer.sign({ user: demoUser, roles: ["researcher"] }, lifetimeS);
  const orchestrator = { gatewayUrl, token };
  const [home, ttp] = scenes;
  return [
    { archetype: "computeToData", query: home?.query },
    { archetype: "dataThroughTtp", query: ttp?.query },
  ].flatMap(({ archetype, query }) =>
    query === undefined ? [] : [{ broker, archetype, orchestrator, query, pacedMs: [], perSecond: [], wrong: 0 }],
  );
}

async function measure(ways: readonly Way[], options: BenchOptions, say: (line: string) => void): Promise<void> {
  say("warming up");
  for (const way of ways) for (let i = 0; i < 5; i++) await timed(way);
  for (let round = 1; round <= options.rounds; round++) {
    say(`round ${round} of ${options.rounds}`);
    for (const way of ways) {
      for (let i = 0; i < options.pacedQueries; i++) {
        way.pacedMs.push(await timed(way));
        await new Promise((resume) => setTimeout(resume, options.pauseMs));
      }
    }
    for (const way of ways) way.perSecond.push(await saturated(way, options));
  }
}

async function timed(way: Way): Promise<number> {
  const startedAt = performance.now();
  const answer = await ask(way.orchestrator, way.query);
  const tookMs = performance.now() - startedAt;
  if (!isRight(answer)) way.wrong += 1;
  return tookMs;
}

async function saturated(way: Way, { saturatedSeconds, callers }: BenchOptions): Promise<number> {
  const endsAt = performance.now() + saturatedSeconds * 1_000;
  const startedAt = performance.now();
  let answered = 0;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < endsAt) {
        await timed(way);
        answered += 1;
      }
    }),
  );
  return answered / ((performance.now() - startedAt) / 1_000);
}

/** A way that answers wrongly or in part is not fast. */
function isRight({ status, body }: AnsweredQuery): boolean {
  const results = body.results as { rowCount?: number }[] | undefined;
  return status === 200 && body.complete === true && (results ?? []).every(({ rowCount }) => rowCount === 2);
}

function report(ways: readonly Way[]): string {
  return textTable({
    columns: [
      { name: "broker" },
      { name: "archetype" },
      { name: "p50 ms", type: "double" },
      { name: "p95 ms", type: "double" },
      { name: "queries/s", type: "double" },
      { name: "queries", type: "int64" },
      { name: "wrong", type: "int64" },
    ],
    rows: ways.map(({ broker, archetype, pacedMs, perSecond, wrong }) => [
      broker,
      archetype,
      round(percentile(pacedMs, 0.5)),
      round(percentile(pacedMs, 0.95)),
      round(median(perSecond)),
      pacedMs.length,
      wrong,
    ]),
  });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
