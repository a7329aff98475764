/** `npm run load`: runs a k6 script without k6, or drives real load with autocannon, or reports what was measured. */
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { drive, driveText } from "./drive.ts";
import { pointLines } from "./points.ts";
import { writeReport } from "./report.ts";
import { runScript } from "./run-script.ts";
import { summaryOf } from "./summary.ts";
import { openTarget, scriptPath } from "./target.ts";

const help = `npm run load -- SCRIPT [-e NAME=VALUE]… [--out FILE] [--broker URL]
npm run load -- drive [--connections 8] [--seconds 10] [-e GATEWAY=… -e TOKEN=…] [--broker URL]
npm run load -- report FILE… [--to load-report.html]

SCRIPT: smoke, steady, ramp, spike, soak, mixed-archetypes, policy-change, or the path of a k6 script.
Without -e GATEWAY=URL the system of the demo is started for it; of a system on this machine the tokens are known.
--out writes every sample in the lines of \`k6 run --out json=FILE\`; report makes one page of such files, k6's too.
The runner is for proving scripts at low rates: real load is for \`k6 run load-tests/SCRIPT.ts\`, or for drive.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    env: { type: "string", short: "e", multiple: true, default: [] },
    out: { type: "string" },
    to: { type: "string", default: "load-report.html" },
    broker: { type: "string", default: "memory" },
    connections: { type: "string", default: "8" },
    seconds: { type: "string", default: "10" },
    help: { type: "boolean", default: false },
  },
});
const [what, ...files] = positionals;
const say = (text: string) => void process.stderr.write(`${text}\n`);

async function run(script: string): Promise<boolean> {
  const target = await openTarget(environmentOf(values.env), values.broker, say);
  try {
    say(`running ${script}`);
    const log = (level: string, text: string) => say(`${level}: ${text}`);
    const result = await runScript({ script: scriptPath(script), environment: target.environment, log });
    process.stdout.write(`${summaryOf(result)}\n`);
    if (values.out !== undefined) await pipeline(pointLines(result.metrics), createWriteStream(values.out));
    return result.passed;
  } finally {
    await target.stop();
  }
}

async function driveLoad(): Promise<boolean> {
  const target = await openTarget(environmentOf(values.env), values.broker, say);
  try {
    const [connections, seconds] = [
      positive("--connections", values.connections),
      positive("--seconds", values.seconds),
    ];
    say(`${connections} connections for ${seconds} s`);
    const driven = await drive({ ...target.environment, connections, until: { seconds } });
    process.stdout.write(`${driveText(driven)}\n`);
    return driven.wrong === 0 && driven.right > 0;
  } finally {
    await target.stop();
  }
}

function environmentOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw new Error(`-e ${pair}: must be NAME=VALUE`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${option} ${text}: must be a whole number from 1`);
  return value;
}

try {
  if (values.help || what === undefined) {
    process.stdout.write(`${help}\n`);
    process.exitCode = values.help ? 0 : 2;
  } else if (what === "report") {
    await writeReport(files, values.to);
    say(`written: ${values.to}`);
  } else {
    const passed = what === "drive" ? await driveLoad() : await run(what);
    process.exitCode = passed ? 0 : 1;
  }
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
