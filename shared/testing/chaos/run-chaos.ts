/** Queries under a plan of wounds, and what became of each. */
import { isDeepStrictEqual } from "node:util";
import type { AskedAnswer } from "../asker.ts";
import { askOver } from "../asker.ts";
import type { RabbitMq } from "../rabbitmq.ts";
import { type ChaosQuery, type ChaosRun, planOf } from "./plan.ts";
import { rowsAt } from "./steps.ts";
import { type ChaosWorld, openChaosWorld } from "./world.ts";

export interface ChaosOptions {
  readonly rabbitmq: RabbitMq;
  readonly seed: number;
  readonly runs: number;
  readonly say: (line: string) => void;
}

export interface ChaosReport {
  readonly answered: number;
  /** By code. */
  readonly failed: Readonly<Record<string, number>>;
  /** Queries that saw nothing but deaths, and failed: a message was lost. */
  readonly unanswered: readonly string[];
  /** No answer within the deadline and a little. */
  readonly stuck: readonly string[];
  /** Answers that are not the right ones: rows lost, doubled or of another query. */
  readonly wrong: readonly string[];
  readonly kills: Readonly<Record<string, number>>;
  /** Queues that hold something in the end, or that should be gone. */
  readonly leftovers: readonly string[];
}

const concurrency = 8;
/** Of a query that sees deaths only, and of one that may wait for its broker. */
const timeoutMs = { deaths: 15_000, everything: 5_000 };
const graceMs = 4_000;
const settleMsMax = 40_000;

export async function runChaos({ rabbitmq, seed, runs, say }: ChaosOptions): Promise<ChaosReport> {
  const plan = planOf(seed, runs);
  const world = await openChaosWorld(rabbitmq);
  const outcomes: string[] = [];
  const wrong: string[] = [];
  const stuck: string[] = [];
  const unanswered: string[] = [];
  const startedAt = performance.now();
  const phase = async (name: ChaosRun["phase"]) => {
    const waiting = plan.filter((run) => run.phase === name);
    await Promise.all(
      Array.from({ length: concurrency }, async () => {
        for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
          const outcome = await outcomeOf(world, run);
          outcomes.push(outcome);
          if (outcome.startsWith("wrong")) wrong.push(`run ${run.index}: ${outcome}`);
          if (outcome === "stuck") stuck.push(`run ${run.index}: ${JSON.stringify(run)}`);
          if (name === "deaths" && outcome !== "answered") unanswered.push(`run ${run.index}: ${outcome}`);
          if (outcomes.length % 100 === 0) say(`${outcomes.length} of ${runs} runs, ${seconds(startedAt)} s`);
        }
      }),
    );
    await world.healed();
  };
  try {
    await phase("deaths");
    await phase("everything");
    const leftovers = await leftoversOf(rabbitmq, world.prefix);
    return { ...counted(outcomes), unanswered, stuck, wrong, kills: world.kills, leftovers };
  } finally {
    await world.close();
  }
}

async function outcomeOf(world: ChaosWorld, run: ChaosRun): Promise<string> {
  const asked = askOver(world.api, queryOf(run.query), { timeoutMs: timeoutMs[run.phase] });
  const answer = asked.then(
    (value) => judged(value, run.query),
    (error: { label?: string }) => `failed ${error.label ?? "without a name"}`,
  );
  await new Promise((resume) => setTimeout(resume, run.afterMs));
  for (const wound of run.wounds) await world.wound(wound);
  let timer: NodeJS.Timeout | undefined;
  const stuck = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve("stuck"), timeoutMs[run.phase] + graceMs);
  });
  return Promise.race([answer, stuck]).finally(() => clearTimeout(timer));
}

function queryOf({ archetype, isLarge }: ChaosQuery) {
  return {
    providers: ["UVA", "VU"],
    sql: `SELECT ${isLarge ? "large" : "small"} FROM Personen`,
    options: { aggregate: archetype === "dataThroughTtp" },
  };
}

/** A failure must have a name, an answer must be whole and right; a part of it must say which is missing. */
function judged({ status, body }: AskedAnswer, query: ChaosQuery): string {
  if (status !== 200) return typeof body.code === "string" ? `failed ${body.code}` : "wrong: a failure without a code";
  const size = query.isLarge ? "large" : "small";
  const results = (body.results ?? []) as { party: string; rows: unknown[][] }[];
  const failed = (body.failed ?? []) as { code?: string }[];
  for (const { party, rows } of results) {
    const expected = party === "SURF" ? [...rowsAt("UVA", size), ...rowsAt("VU", size)] : rowsAt(party, size);
    if (!isDeepStrictEqual(rows, expected)) return `wrong: ${rows.length} rows from ${party}, not ${expected.length}`;
  }
  if (body.complete === true && (body.refused as unknown[]).length === 0) {
    const wanted = query.archetype === "dataThroughTtp" ? ["SURF"] : ["UVA", "VU"];
    const parties = results.map(({ party }) => party);
    return isDeepStrictEqual(parties, wanted) ? "answered" : `wrong: results of ${parties.join(", ") || "nobody"}`;
  }
  const refused = (body.refused ?? []) as { code?: string }[];
  const [first] = [...failed, ...refused];
  return first?.code === undefined ? "wrong: incomplete without a reason" : `failed ${first.code}`;
}

/** Everything that was declared is empty again, and what was one query's is gone. */
async function leftoversOf(rabbitmq: RabbitMq, prefix: string): Promise<string[]> {
  const giveUpAtMs = Date.now() + settleMsMax;
  for (;;) {
    const queues = (await rabbitmq.queues()).filter(({ name }) => name.startsWith(prefix));
    const left = queues.flatMap(({ name, ready, unacknowledged }) => {
      const own = name.slice(prefix.length);
      if (own.startsWith("transfer.")) return [`${own} is still there`];
      if (own.endsWith(".dead-letters")) return [];
      return ready + unacknowledged === 0 ? [] : [`${own} holds ${ready} ready, ${unacknowledged} unacknowledged`];
    });
    if (left.length === 0 || Date.now() > giveUpAtMs) return left;
    await new Promise((resume) => setTimeout(resume, 500));
  }
}

function counted(outcomes: readonly string[]): Pick<ChaosReport, "answered" | "failed"> {
  const failed: Record<string, number> = {};
  for (const outcome of outcomes) {
    if (outcome.startsWith("failed ")) failed[outcome.slice(7)] = (failed[outcome.slice(7)] ?? 0) + 1;
  }
  return { answered: outcomes.filter((outcome) => outcome === "answered").length, failed };
}

function seconds(startedAt: number): string {
  return ((performance.now() - startedAt) / 1_000).toFixed(0);
}
