/** `npm run bench` and `npm run bench:report`: each part compares ways side by side in one run, and checks their answers. */
import { loadavg } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { rabbitmqServer, startRabbitmq } from "#testing/rabbitmq";
import { benchAtRest } from "./at-rest.ts";
import { isBenchResult } from "./bench-result.ts";
import { benchChange } from "./change.ts";
import { benchColdStart } from "./cold-start.ts";
import { benchDecision } from "./decision.ts";
import { benchEncodings } from "./encodings.ts";
import { benchGrowth } from "./growth.ts";
import { benchInvocation } from "./invocation.ts";
import { benchLargeTables } from "./large-tables.ts";
import { benchPath } from "./path.ts";
import { benchFlame } from "./path-flame.ts";
import { benchQueryStep } from "./query-step.ts";
import { writeReport } from "./report/write-report.ts";
import { benchRowsAlone } from "./rows-alone.ts";
import { settingsOf } from "./settings.ts";
import { benchStep } from "./step-throughput.ts";
import { textOfResult } from "./text-of-result.ts";
import { benchWholeQuery } from "./whole-query.ts";

const text = { type: "string" } as const;
const yes = { type: "boolean", default: false } as const;
const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...{ rounds: text, queries: text, seconds: text, callers: text, messages: text, decisions: text, changes: text },
    ...{ only: text, to: text, report: yes, quick: yes, help: yes },
  },
});
const quickly = {
  rounds: "1",
  queries: "5",
  seconds: "1",
  callers: "4",
  messages: "1000",
  decisions: "200",
  changes: "2",
};
const thoroughly = {
  ...quickly,
  rounds: "3",
  queries: "20",
  seconds: "1.5",
  messages: "3000",
  decisions: "5000",
  changes: "12",
};
const values = { ...(given.quick ? quickly : thoroughly), ...given };
/** `npm run bench -- cold-start` writes a page, so it runs when it is asked for by name. */
const only = values.only ?? positionals[0] ?? "";
const settings = settingsOf(values);
const docs = resolve(values.to ?? join(import.meta.dirname, "../../docs"));

// Each broker and system that is up listens for the end of this process, and ends with it.
process.setMaxListeners(0);
process.once("SIGINT", () => process.exit(130)).once("SIGTERM", () => process.exit(143));

const print = (line: string): void => void process.stdout.write(`${line}\n`);
let hear = print;
const say = (line: string) => hear(line);

async function benchOneStep(): Promise<void> {
  if (rabbitmqServer() === undefined) {
    say("SKIPPED: rabbitmq-server is not installed, no step is measured");
    return;
  }
  const { url, stop } = await startRabbitmq();
  try {
    await benchStep({ url, messages: Number(values.messages), prefetches: [1, 10, 100], rounds: settings.rounds }, say);
  } finally {
    await stop();
  }
}

/**
 * What `--only` takes, and what runs, in the page's order. A bench returns its data (bench-result.ts), or says its
 * table and returns how many of its answers were wrong.
 */
const benches: Readonly<Record<string, () => unknown>> = {
  invocation: () => benchInvocation(settings.invocation, say),
  query: () => benchWholeQuery(settings.query, say),
  rows: () => benchLargeTables(settings.rows, say),
  growth: () => benchGrowth(settings.growth, say),
  "at-rest": () => benchAtRest(settings.atRest, say),
  "query-step": () => benchQueryStep(settings.queryStep, say),
  step: benchOneStep,
  encoding: () => benchEncodings({ sizes: [10_000, 100_000], rounds: Number(values.rounds) }, say),
  "rows-alone": () => benchRowsAlone({ rows: 30_000, rounds: 5 * Number(values.rounds) }, say),
  change: () => benchChange({ rounds: Number(values.changes), queries: 3 }, say),
  decision: () =>
    benchDecision(
      { sizes: [10_000, 100_000], decisions: Number(values.decisions), changes: Number(values.changes) },
      say,
    ),
  path: () => benchPath({ queries: Number(values.queries), pauseMs: 100 }, say),
  flame: () => benchFlame({ queries: Number(values.queries), pauseMs: 100 }, join(docs, "path.svg"), say),
  "cold-start": () => benchColdStart(Number(values.rounds), say),
};

/** These run when they are asked for by name. */
const byNameOnly = ["flame", "cold-start"];

const asked = Object.entries(benches).filter(([name]) => (only === "" ? !byNameOnly.includes(name) : name === only));

if (values.help) {
  say(
    `npm run bench -- [--only ${Object.keys(benches).join("|")}] [--quick] [--rounds 3] [--seconds 1.5] [--callers 4]`,
  );
  say(
    "npm run bench:report -- [--only PART] [--quick] [--to docs]: measures and writes performance.md and its pictures",
  );
  say("  query:    of --callers, twice as many");
  say("  path:     [--queries 20]");
  say("  step:     [--messages 3000]");
  say("  decision: [--decisions 5000] [--changes 12]");
  say("  change:   [--changes 12]");
  say("  flame, by name only: [--queries 20] [--to docs], written to path.svg there");
  say("  cold-start, by name only: written to docs/cold-start.md");
} else if (asked.length === 0) {
  say(`--only takes ${Object.keys(benches).join(", ")}, not ${only}`);
  process.exitCode = 2;
} else if (values.report) {
  const parts = Object.fromEntries(
    asked.map(([name, run]) => [
      name,
      (sayOfPart: (line: string) => void) => {
        hear = sayOfPart;
        return run();
      },
    ]),
  );
  const bad = await writeReport({ parts, folder: docs, quick: values.quick, keepsOthers: only !== "" }, print);
  print(`written to ${join(docs, "performance.md")}`);
  if (bad.length > 0) print(`these failed or had wrong answers: ${bad.join(", ")}`);
  process.exit(bad.length > 0 ? 1 : 0);
} else {
  say(`load of the machine at the start: ${loadavg()[0]?.toFixed(2)}`);
  for (const [, run] of asked) {
    const returned = await run();
    if (isBenchResult(returned)) say(textOfResult(returned));
    if ((isBenchResult(returned) ? returned.wrong : Number(returned ?? 0)) > 0) process.exitCode = 1;
  }
}
