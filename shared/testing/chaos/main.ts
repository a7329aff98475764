/** `npm run test:chaos -- [--runs 1000] [--seed N]`: a seeded run of kills, and the count of what became of each query. */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { rabbitmqServer, startRabbitmq } from "../rabbitmq.ts";
import { runChaos } from "./run-chaos.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000" },
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
    help: { type: "boolean", default: false },
  },
});
const say = (line: string) => void process.stdout.write(`${line}\n`);

if (values.help) {
  say("npm run test:chaos -- [--runs 1000] [--seed N]   the same seed gives the same plan of kills");
} else if (rabbitmqServer() === undefined) {
  say("SKIPPED: rabbitmq-server is not installed");
} else {
  const [runs, seed] = [Number(values.runs), Number(values.seed)];
  say(`${runs} queries under kills, seed ${seed}`);
  const rabbitmq = await startRabbitmq();
  try {
    const report = await runChaos({ rabbitmq, seed, runs, say });
    say(JSON.stringify(report, null, 2));
    const isClean =
      report.unanswered.length === 0 &&
      report.stuck.length === 0 &&
      report.wrong.length === 0 &&
      report.leftovers.length === 0;
    say(isClean ? "nothing lost, doubled, stuck or left behind" : `NOT CLEAN: repeat with --seed ${seed}`);
    process.exitCode = isClean ? 0 : 1;
  } finally {
    await rabbitmq.stop();
  }
}
