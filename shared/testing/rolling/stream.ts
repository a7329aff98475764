/** A constant stream of queries of every kind, each compared with what it answered before anything was restarted. */
import { createHash } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { type Called, callOrchestrator, type Orchestrator } from "../../../cli/commands/call-orchestrator.ts";

export interface StreamOptions {
  readonly orchestrator: Orchestrator;
  readonly perSecond: number;
  /** At once; a beat at which so many run is left out. */
  readonly runningMax: number;
  /** Of one query. */
  readonly timeoutMs: number;
}

export interface StreamTally {
  /** By kind of query. */
  readonly right: Record<string, number>;
  readonly failed: string[];
  /** Answers of 503 with a Retry-After, which were asked again. */
  readonly askedAgain: string[];
  slowestMs: number;
}

export interface Stream {
  readonly tally: StreamTally;
  /** Sends no more; resolves when each has ended. */
  end(): Promise<StreamTally>;
}

type Ask = () => Promise<Called>;

const providers = ["UVA", "VU"];
const joined = "FROM Personen p JOIN Aanstellingen s USING (Unieknr, Peildat)";
const small = { providers, sql: `SELECT p.Geslacht, s.Salschal ${joined}`, algorithm: "average" };
/** Some hundred KiB of each provider: a transfer at each hop. */
const large = {
  providers,
  sql: `SELECT p.Unieknr, p.Geslacht, p.Nationaliteit, s.* EXCLUDE (Unieknr) ${joined}`,
};
const atThirdParty = { options: { aggregate: true } };
const askAgainMax = 20;
const pollMs = 250;

/** Asks each kind once, and then goes on. @throws Error when one does not answer as a whole */
export async function startStream(options: StreamOptions): Promise<Stream> {
  const kinds = await kindsOf(options);
  const expected = new Map<string, string>();
  for (const [kind, ask] of Object.entries(kinds)) {
    const answer = await ask();
    if (answer.status !== 200 || answer.body.complete !== true) throw new Error(`${kind}: ${brief(answer)}`);
    expected.set(kind, digestOf(answer));
  }
  const tally: StreamTally = { right: {}, failed: [], askedAgain: [], slowestMs: 0 };
  const running = new Set<Promise<void>>();
  let isOver = false;

  async function one(kind: string, ask: Ask): Promise<void> {
    const startedAt = performance.now();
    for (let tries = 0; ; tries++) {
      const answer = await ask().catch((error: unknown) => String(error));
      const ms = Math.round(performance.now() - startedAt);
      if (typeof answer !== "string" && digestOf(answer) === expected.get(kind)) {
        tally.right[kind] = (tally.right[kind] ?? 0) + 1;
        tally.slowestMs = Math.max(tally.slowestMs, ms);
        return;
      }
      const line = `${new Date().toISOString()} ${kind} after ${ms} ms: ${typeof answer === "string" ? answer : brief(answer)}`;
      const again = typeof answer === "string" ? undefined : retryAfterMs(answer);
      if (again === undefined || tries === askAgainMax) return void tally.failed.push(line);
      tally.askedAgain.push(line);
      await wait(again);
    }
  }

  async function go(): Promise<void> {
    const order = Object.entries(kinds);
    for (let beat = 0; !isOver; beat++) {
      const [kind, ask] = order[beat % order.length] ?? ["", async () => Promise.reject(new Error("no kind"))];
      if (running.size < options.runningMax) {
        const asked = one(kind, ask).finally(() => running.delete(asked));
        running.add(asked);
      }
      await wait(1_000 / options.perSecond);
    }
  }

  const going = go();
  return {
    tally,
    end: async () => {
      isOver = true;
      await going;
      await Promise.all(running);
      return tally;
    },
  };
}

async function kindsOf({ orchestrator, timeoutMs }: StreamOptions): Promise<Record<string, Ask>> {
  const call = (path: string, body: object, headers = {}) =>
    callOrchestrator(orchestrator, "POST", path, { body, headers });
  const job = await call("jobs", { providers });
  if (job.status !== 201) throw new Error(`no job: ${brief(job)}`);
  const { providers: _, ...ofJob } = small;
  return {
    "at home": () => call("queries", { ...small, timeoutMs }),
    "at the third party": () => call("queries", { ...small, ...atThirdParty, timeoutMs }),
    "tables at home": () => call("queries", { ...large, timeoutMs }),
    "tables at the third party": () => call("queries", { ...large, ...atThirdParty, timeoutMs }),
    "of a job": () => call(`jobs/${job.body.id}/queries`, { ...ofJob, timeoutMs }),
    asynchronous: async () => {
      const accepted = await call("queries", { ...large, timeoutMs }, { prefer: "respond-async" });
      return accepted.status === 202 ? resultOf(orchestrator, String(accepted.body.id)) : accepted;
    },
  };
}

async function resultOf(orchestrator: Orchestrator, id: string): Promise<Called> {
  for (;;) {
    const answer = await callOrchestrator(orchestrator, "GET", `queries/${id}/result`);
    const isLater = answer.status === 202 || retryAfterMs(answer) !== undefined;
    if (!isLater) return answer;
    await wait(pollMs);
  }
}

function retryAfterMs({ status, headers }: Called): number | undefined {
  const seconds = headers.get("retry-after");
  return status === 503 && seconds !== null ? Number(seconds) * 1_000 : undefined;
}

/** Of the results alone, whatever the order of their rows. */
function digestOf({ status, body }: Called): string {
  const results = (body.results ?? []) as { party: string; rows?: unknown[] }[];
  const parts = results.map(({ party, rows = [] }) => [party, ...rows.map((row) => JSON.stringify(row)).sort()]);
  const sorted = parts.map((part) => JSON.stringify(part)).sort();
  return createHash("sha256")
    .update(JSON.stringify([status, sorted]))
    .digest("hex");
}

const briefCharsMax = 500;

function brief({ status, body }: Called): string {
  const { results, plan: _, ...rest } = body;
  const from = ((results ?? []) as { party: string }[]).map(({ party }) => party);
  return `${status} ${JSON.stringify({ from, ...rest })}`.slice(0, briefCharsMax);
}
