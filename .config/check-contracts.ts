/** The contracts are well formed, only grow, and the generated code is what they generate. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const generated = ["shared/contracts/gen", "shared/contracts/gen-json"];

function run(what: string, program: string, ...args: string[]): void {
  const { status } = spawnSync(program, args, { stdio: "inherit" });
  if (status !== 0) {
    process.stderr.write(`contracts: ${what}\n`);
    process.exit(1);
  }
}

function hashOf(folder: string): string {
  const hash = createHash("sha256");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort()) {
    hash.update(path).update(readFileSync(path));
  }
  return hash.digest("hex");
}

run("buf lint found faults", "npx", "buf", "lint", "proto");
run("the .proto files are not formatted: npm run contracts", "npx", "buf", "format", "--diff", "--exit-code", "proto");
run("a change breaks older peers", "npx", "buf", "breaking", "proto", "--against", "proto/baseline.binpb");
const before = generated.map(hashOf).join();
run("the messages can't be generated", "npm", "run", "--silent", "contracts");
run("the validators can't be generated", "npm", "run", "--silent", "schemas");
if (generated.map(hashOf).join() !== before) {
  process.stderr.write("contracts: the generated code was not up to date; it is now, commit it\n");
  process.exit(1);
}
process.stdout.write("well formed, compatible with the baseline, generated code up to date\n");
