/** `npm run bench`: whole queries over both brokers, and one step beside a bare consumer, each side by side; and decisions. */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { rabbitmqServer, startRabbitmq } from "#testing/rabbitmq";
import { benchChange } from "./change.ts";
import { benchColdStart } from "./cold-start.ts";
import { benchDecision } from "./decision.ts";
import { benchEncodings } from "./encodings.ts";
import { benchInvocation } from "./invocation.ts";
import { benchStep } from "./step-throughput.ts";
import { benchWholeQuery } from "./whole-query.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "3" },
    queries: { type: "string", default: "20" },
    seconds: { type: "string", default: "3" },
    callers: { type: "string", default: "4" },
    messages: { type: "string", default: "10000" },
    decisions: { type: "string", default: "10000" },
    changes: { type: "string", default: "20" },
    only: { type: "string", default: "" },
    help: { type: "boolean", default: false },
  },
});

/** `npm run bench -- cold-start` writes a page, so it runs when it is asked for by name. */
const only = values.only || (positionals[0] ?? "");

const say = (line: string) => void process.stdout.write(`${line}\n`);

async function benchQueries(): Promise<void> {
  const wrong = await benchWholeQuery(
    {
      rounds: Number(values.rounds),
      pacedQueries: Number(values.queries),
      pauseMs: 100,
      saturatedSeconds: Number(values.seconds),
      callers: Number(values.callers),
    },
    say,
  );
  if (wrong > 0) process.exitCode = 1;
}

async function benchInvocations(): Promise<void> {
  const [rounds, pacedCalls] = [Number(values.rounds), Number(values.queries)];
  const [saturatedSeconds, callers] = [Number(values.seconds), Number(values.callers)];
  const options = { rounds, pacedCalls, pauseMs: 30, saturatedSeconds, callers, poolSize: 8 };
  if ((await benchInvocation(options, say)) > 0) process.exitCode = 1;
}

async function benchOneStep(): Promise<void> {
  if (rabbitmqServer() === undefined) {
    say("SKIPPED: rabbitmq-server is not installed, no step is measured");
    return;
  }
  const { url, stop } = await startRabbitmq();
  try {
    const messages = Number(values.messages);
    await benchStep({ url, messages, prefetches: [1, 10, 100], rounds: Number(values.rounds) }, say);
  } finally {
    await stop();
  }
}

if (values.help) {
  say("npm run bench -- [--only query|step|decision|change|encoding|invocation|cold-start] [--rounds 3]");
  say("  query: [--queries 20] [--seconds 3] [--callers 4]");
  say("  step:  [--messages 10000]");
  say("  decision: [--decisions 10000] [--changes 20]");
  say("  change: [--changes 20]");
  say("  invocation: [--queries 20] [--seconds 3] [--callers 4]");
  say("  cold-start: [--rounds 3], written to docs/cold-start.md");
} else if (!["", "query", "step", "decision", "change", "encoding", "invocation", "cold-start"].includes(only)) {
  say(`--only takes query, step, decision, change, encoding, invocation or cold-start, not ${only}`);
  process.exitCode = 2;
} else {
  say(`load of the machine at the start: ${loadavg()[0]?.toFixed(2)}`);
  const isAsked = (part: string) => only === "" || only === part;
  if (only === "cold-start") await benchColdStart(Number(values.rounds), say);
  if (isAsked("query")) await benchQueries();
  if (isAsked("step")) await benchOneStep();
  if (isAsked("invocation")) await benchInvocations();
  if (isAsked("encoding")) benchEncodings({ sizes: [10_000, 100_000], rounds: Number(values.rounds) }, say);
  if (isAsked("change")) {
    const wrong = await benchChange({ rounds: Number(values.changes), queries: 3 }, say);
    if (wrong > 0) process.exitCode = 1;
  }
  if (isAsked("decision")) {
    const [decisions, changes] = [Number(values.decisions), Number(values.changes)];
    await benchDecision({ sizes: [10_000, 100_000], decisions, changes }, say);
  }
}
