/** `npm run bench`: whole queries over both brokers, and one step beside a bare consumer, each side by side; and decisions. */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { rabbitmqServer, startRabbitmq } from "#testing/rabbitmq";
import { benchChange } from "./change.ts";
import { benchColdStart } from "./cold-start.ts";
import { benchDecision } from "./decision.ts";
import { benchEncodings } from "./encodings.ts";
import { benchInvocation } from "./invocation.ts";
import { benchPath } from "./path.ts";
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

function benchQueries(): Promise<number> {
  return benchWholeQuery(
    {
      rounds: Number(values.rounds),
      pacedQueries: Number(values.queries),
      pauseMs: 100,
      saturatedSeconds: Number(values.seconds),
      callers: Number(values.callers),
    },
    say,
  );
}

function benchInvocations(): Promise<number> {
  const [rounds, pacedCalls] = [Number(values.rounds), Number(values.queries)];
  const [saturatedSeconds, callers] = [Number(values.seconds), Number(values.callers)];
  const options = { rounds, pacedCalls, pauseMs: 30, saturatedSeconds, callers, poolSize: 8 };
  return benchInvocation(options, say);
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

/** What `--only` takes, and what runs. A bench returns how many of its answers were wrong, or nothing. */
const benches: Readonly<Record<string, () => unknown>> = {
  query: benchQueries,
  step: benchOneStep,
  invocation: benchInvocations,
  encoding: () => benchEncodings({ sizes: [10_000, 100_000], rounds: Number(values.rounds) }, say),
  change: () => benchChange({ rounds: Number(values.changes), queries: 3 }, say),
  decision: () =>
    benchDecision(
      { sizes: [10_000, 100_000], decisions: Number(values.decisions), changes: Number(values.changes) },
      say,
    ),
  path: () => benchPath({ queries: Number(values.queries), pauseMs: 100 }, say),
  "cold-start": () => benchColdStart(Number(values.rounds), say),
};

/** These run when they are asked for by name. */
const byNameOnly = ["cold-start"];

if (values.help) {
  say(`npm run bench -- [--only ${Object.keys(benches).join("|")}] [--rounds 3]`);
  say("  query: [--queries 20] [--seconds 3] [--callers 4]");
  say("  step:  [--messages 10000]");
  say("  decision: [--decisions 10000] [--changes 20]");
  say("  change: [--changes 20]");
  say("  invocation: [--queries 20] [--seconds 3] [--callers 4]");
  say("  path: [--queries 20]");
  say("  cold-start: [--rounds 3], written to docs/cold-start.md");
} else if (only !== "" && !Object.hasOwn(benches, only)) {
  say(`--only takes ${Object.keys(benches).join(", ")}, not ${only}`);
  process.exitCode = 2;
} else {
  say(`load of the machine at the start: ${loadavg()[0]?.toFixed(2)}`);
  for (const [name, run] of Object.entries(benches)) {
    if (only === "" ? byNameOnly.includes(name) : only !== name) continue;
    const wrong = await run();
    if (typeof wrong === "number" && wrong > 0) process.exitCode = 1;
  }
}
