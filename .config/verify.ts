/** What CI does: every check in turn, each with its time; stops at the first that fails unless told `--all`. */
import { spawnSync } from "node:child_process";

interface Stage {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

const stages: readonly Stage[] = [
  { name: "format and lint", command: ["npx", "biome", "check", "--error-on-warnings", "."] },
  { name: "types", command: ["npx", "tsc", "-p", "."] },
  { name: "import law", command: ["npx", "tsx", ".config/check-imports.ts"] },
  { name: "contracts", command: ["npm", "run", "--silent", "contracts:check"] },
  { name: "unused code", command: ["npx", "knip", "--config", ".config/knip.json"] },
  { name: "tests", command: ["npx", "vitest", "run", "--config", ".config/vitest.ts"] },
];

const all = process.argv.includes("--all");
const results: string[] = [];
let failed = false;
for (const { name, command } of stages) {
  process.stdout.write(`── ${name}\n`);
  const startedAt = performance.now();
  const [program, ...args] = command;
  const { status } = spawnSync(program, args, { stdio: "inherit" });
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  results.push(`${status === 0 ? "passed" : "FAILED"}  ${name}, ${seconds} s`);
  if (status !== 0) {
    failed = true;
    if (!all) break;
  }
}
process.stderr.write(`${results.join("\n")}\n`);
process.exitCode = failed ? 1 : 0;
