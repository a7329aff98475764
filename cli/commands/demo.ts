/** `dynamos demo`: starts everything, asks five questions, shows the answers, stops everything. */
import { resolve } from "node:path";
import type { Command } from "commander";
import colors from "picocolors";
import { scenes } from "../demo/scenes.ts";
import { answerText } from "../print/answer-text.ts";
import { exampleText } from "../print/example-text.ts";
import { ask } from "./ask.ts";
import { writeChart } from "./query.ts";
import { startInterruptibly, stopOnSignal } from "./stop-on-signal.ts";
import { type RunningSystem, type SystemFlags, startFromFlags } from "./system-options.ts";
import { addSystemOptions } from "./up.ts";

/** Of a token for one question. */
const lifetimeS = 300;

interface DemoFlags extends Omit<SystemFlags, "port"> {
  readonly chart: string;
}

export function addDemoCommand(program: Command): void {
  addSystemOptions(program.command("demo"))
    .description("start the system, ask five questions, show the answers and stop")
    .option("--records <dir>", "keep the parties' records here; absent: they go with the demo")
    .option("--chart <file>", "where the chart goes", "build/demo-chart.svg")
    .addHelpText("after", exampleText("dynamos demo", "dynamos demo --broker amqp://… --chart salaries.svg"))
    .action(async (flags: DemoFlags) => {
      const startedAt = performance.now();
      const running = await startInterruptibly(() =>
        startFromFlags({ ...flags, port: "0" }, (stage) => say(colors.dim(stage))),
      );
      const interrupted = stopOnSignal(running.stop).then(() => process.exit(130));
      say(colors.dim(`ready in ${((performance.now() - startedAt) / 1000).toFixed(1)} s at ${running.system.url}\n`));
      const wrong = await Promise.race([playAll(running, flags.chart), interrupted]).finally(running.stop);
      say(wrong === 0 ? colors.green("the demo went as it should") : colors.red(`${wrong} questions went wrong`));
      process.exitCode = wrong === 0 ? 0 : 1;
    });
}

/** @returns how many scenes did not end as expected */
async function playAll({ system }: RunningSystem, chartFile: string): Promise<number> {
  let wrong = 0;
  for (const [index, { title, user, query, expected, writesChart }] of scenes.entries()) {
    say(colors.cyan(`${index + 1}. ${title}`));
    say(colors.dim(`   ${query.sql}`));
    const token = await system.issuer.sign({ user, roles: ["researcher"] }, lifetimeS);
    const answer = await ask({ gatewayUrl: system.url, token }, query);
    say(`${answerText(answer).replace(/^/gm, "   ")}`);
    const hasChart = !writesChart || (await writeChart(answer, chartFile));
    if (writesChart && hasChart) say(`   the chart is in ${resolve(chartFile)}`);
    if (answer.status !== expected || !hasChart) wrong += 1;
    say("");
  }
  return wrong;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
