/** `npm run bench`: whole queries over both brokers, and one step beside a bare consumer, each side by side. */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { rabbitmqServer, startRabbitmq } from "#testing/rabbitmq";
import { benchStep } from "./step-throughput.ts";
import { benchWholeQuery } from "./whole-query.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    queries: { type: "string", default: "20" },
    seconds: { type: "string", default: "3" },
    callers: { type: "string", default: "4" },
    messages: { type: "string", default: "10000" },
    only: { type: "string", default: "" },
    help: { type: "boolean", default: false },
  },
});

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
  say("npm run bench -- [--only query|step] [--rounds 3]");
  say("  query: [--queries 20] [--seconds 3] [--callers 4]");
  say("  step:  [--messages 10000]");
} else if (!["", "query", "step"].includes(values.only)) {
  say(`--only takes query or step, not ${values.only}`);
  process.exitCode = 2;
} else {
  say(`load of the machine at the start: ${loadavg()[0]?.toFixed(2)}`);
  if (values.only !== "step") await benchQueries();
  if (values.only !== "query") await benchOneStep();
}
