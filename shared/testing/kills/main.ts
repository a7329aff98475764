/** Seeded runs that kill workers, sidecars, connections and the broker under many queries, then count. */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { rabbitmqServer, startRabbitmq } from "../rabbitmq.ts";
import { runKills } from "./run-kills.ts";
import { isClean, type Tally } from "./tally.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000" },
    seed: { type: "string", default: String(randomInt(1_000_000)) },
    lanes: { type: "string", default: "6" },
    "restart-every": { type: "string", default: "150" },
    /** Of these runs the sidecars are processes. */
    "processes-every": { type: "string", default: "20" },
  },
});

const say = (line: string) => void process.stdout.write(`${line}\n`);
const linesMax = 20;

function report(tally: Tally, seconds: number): void {
  const { runs, queries, right, named, lost, doubled, stuck, wrong, left, repeated, contradicted, kills } = tally;
  say(`${runs} runs, ${queries} queries in ${seconds.toFixed(0)} s: ${right} right`);
  say(`named failures: ${JSON.stringify(named)}`);
  say(`kills: ${JSON.stringify(kills)}`);
  if (tally.brokerAwayMs.length > 0) say(`the broker was away for ${tally.brokerAwayMs.join(", ")} ms`);
  say(`replies that came again: ${repeated}; chains with a failure beside a result: ${contradicted}`);
  for (const [title, list] of Object.entries({ lost, doubled, stuck, wrong, left })) {
    say(`${list.length} ${title}`);
    for (const line of list.slice(0, linesMax)) say(`  ${line}`);
  }
}

async function main(): Promise<void> {
  if (rabbitmqServer() === undefined) {
    say("SKIPPED: rabbitmq-server is not installed");
    return;
  }
  const [runs, seed, lanes] = [Number(values.runs), Number(values.seed), Number(values.lanes)];
  say(`seed ${seed}: the same seed gives the same kills`);
  const rabbitmq = await startRabbitmq();
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1_000;
  try {
    const onRun = ({ runs: done, right, queries, lost }: Tally) => {
      if (done % 50 !== 0) return;
      say(`${done} runs, ${seconds().toFixed(0)} s: ${right} of ${queries} queries right, ${lost.length} lost`);
    };
    const often = { restartEvery: Number(values["restart-every"]), processesEvery: Number(values["processes-every"]) };
    const options = { rabbitmq, seed, runs, lanes, ...often, onRun };
    const tally = await runKills(options);
    report(tally, seconds());
    if (!isClean(tally)) process.exitCode = 1;
  } finally {
    await rabbitmq.stop();
  }
}

await main();
// Everything has ended. After very many connections Node 20 was once seen to turn in circles as it took itself apart.
process.exit();
