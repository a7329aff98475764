/** `npm run release -- VERSION`: checks, sets the version, builds build/release; commits and tags only when told. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import colors from "picocolors";
import { git, releaseChecks } from "./checks.ts";
import { baseline, buildContracts } from "./released-contracts.ts";
import { setVersion, versionedFiles } from "./set-version.ts";

interface ReleaseFlags {
  readonly dryRun?: boolean;
  readonly verified?: boolean;
  readonly tag?: boolean;
}

const home = join(dirname(fileURLToPath(import.meta.url)), "../..");
const changedFiles = [...versionedFiles, baseline];

const program = new Command("npm run release --")
  .argument("<version>", "like 1.2.3; CHANGELOG.md has a section of it")
  .option("--dry-run", "check, and build in a clone: nothing outside of build/ changes")
  .option("--verified", "npm run verify has passed on this commit already: do not run it again")
  .option("--tag", "commit the version and tag the commit; nothing is pushed")
  .action(release);
try {
  await program.parseAsync();
} catch (error) {
  say(`${colors.red("error")} ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function release(version: string, { dryRun = false, verified = false, tag = false }: ReleaseFlags) {
  if (dryRun && tag) throw new Error("--dry-run changes nothing, so there is nothing for --tag");
  const problems = releaseChecks({ home, version, isDryRun: dryRun }).filter(({ name, faults }) => {
    const found = faults();
    say(`${found.length === 0 ? colors.green("✔") : colors.red("✘")} ${name}`);
    for (const fault of found) say(`    ${fault}`);
    return found.length > 0;
  });
  if (problems.length > 0) throw new Error("nothing was changed, as not every check holds");
  if (dryRun) {
    say("not run: npm run verify, which a release runs now");
    await buildInClone(version);
    return;
  }
  if (!verified) run(home, "npm", "run", "verify");
  await prepare(home, version);
  const [commit, tagIt] = [
    ["commit", "--quiet", "-m", `Release ${version}`, "--", ...changedFiles],
    ["tag", "--annotate", `v${version}`, "-m", `dynamos ${version}`],
  ];
  if (tag) {
    git(home, ...commit);
    git(home, ...tagIt);
    say(`committed and tagged: git push --follow-tags publishes it`);
  } else {
    say(`what is left: git commit -m "Release ${version}" -- ${changedFiles.join(" ")} && git tag -a v${version}`);
  }
}

/** Sets the version, keeps the contracts as the next version's baseline, and builds. */
async function prepare(folder: string, version: string): Promise<void> {
  await setVersion(folder, version);
  writeFileSync(join(folder, baseline), buildContracts(folder));
  // In a process of its own: this one has the old version.
  run(folder, process.execPath, "--import", "tsx", "cli/release/build-release.ts");
}

/** In build/, where the checkout's node_modules are found. */
async function buildInClone(version: string): Promise<void> {
  mkdirSync(join(home, "build"), { recursive: true });
  const clone = mkdtempSync(join(home, "build/dry-run-"));
  try {
    git(home, "clone", "--quiet", "--shared", home, clone);
    await prepare(clone, version);
    rmSync(join(home, "build/release"), { recursive: true, force: true });
    cpSync(join(clone, "build/release"), join(home, "build/release"), { recursive: true, verbatimSymlinks: true });
    say(`a dry run: of ${changedFiles.join(", ")} nothing was written`);
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
}

function run(cwd: string, program: string, ...args: string[]): void {
  const { status, error } = spawnSync(program, args, { cwd, stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) throw new Error(`${[program, ...args].join(" ")} failed${error ? `: ${error.message}` : ""}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
