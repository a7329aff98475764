/**
 * What CI does: every check in turn, each with its time; stops at the first that fails unless told `--all`.
 * The last line is that of the tests, `N passed, N failed`; another stage that fails counts as one failure.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import colors from "picocolors";

interface Stage {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
}

const home = fileURLToPath(new URL("..", import.meta.url));
const bin = (name: string) => `node_modules/.bin/${name}`;
const script = (path: string): Stage["command"] => [process.execPath, "--import", "tsx", path];

const stages: readonly Stage[] = [
  { name: "format and lint", command: [bin("biome"), "check", "--error-on-warnings", "."] },
  { name: "types", command: [bin("tsc"), "-p", "."] },
  { name: "types of k6", command: [bin("tsc"), "-p", "load-tests"] },
  { name: "import law", command: script(".config/check-imports.ts") },
  { name: "contracts", command: script(".config/check-contracts.ts") },
  { name: "stack file", command: script(".config/check-stack.ts") },
  { name: "manifests", command: script("k8s/check/main.ts") },
  { name: "unused code", command: [bin("knip"), "--config", ".config/knip.json"] },
];
const tests: Stage = { name: "tests", command: [bin("vitest"), "run", "--config", ".config/vitest.ts"] };

const all = process.argv.includes("--all");
const rows: string[] = [];
let failedStages = 0;
for (const stage of stages) {
  const { status } = await pass(stage, "inherit");
  if (status !== 0) failedStages += 1;
  if (status !== 0 && !all) break;
}
const ran = failedStages === 0 || all ? await pass(tests, "pipe") : undefined;
process.stdout.write(`\n${rows.join("\n")}\n${closingLine(ran?.output ?? "", failedStages)}\n`);
process.exitCode = failedStages === 0 && ran?.status === 0 ? 0 : 1;

/** Runs one stage and adds its row. With "pipe" what it prints is shown and kept. */
async function pass({ name, command }: Stage, stdout: "inherit" | "pipe"): Promise<{ status: number; output: string }> {
  process.stdout.write(colors.bold(`── ${name}\n`));
  const startedAtMs = performance.now();
  const [program, ...args] = command;
  const env = stdout === "pipe" && process.stdout.isTTY ? { ...process.env, FORCE_COLOR: "1" } : process.env;
  const child = spawn(program, args, { cwd: home, stdio: ["inherit", stdout, "inherit"], env });
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
    process.stdout.write(chunk);
  });
  const status = await statusOf(child);
  const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
  const mark = status === 0 ? colors.green("passed") : colors.red("FAILED");
  rows.push(`${mark}  ${name.padEnd(16)}${seconds.padStart(6)} s`);
  return { status, output };
}

/** When it has ended and all that it printed is here. */
function statusOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

/** Tests that were to run and left no line count as one failure. */
function closingLine(output: string, failedBefore: number): string {
  const counts = [...output.matchAll(/^(\d+) passed, (\d+) failed(.*)$/gm)].at(-1);
  if (counts === undefined) return `0 passed, ${Math.max(failedBefore, 1)} failed`;
  return `${counts[1]} passed, ${Number(counts[2]) + failedBefore} failed${counts[3]}`;
}
