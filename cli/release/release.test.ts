/** `npm run release`, in a clone of this checkout with a small history of its own. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const checkout = resolve(import.meta.dirname, "../..");
const version = "7.8.9";
let home: string;

/** Two functions are enough to see what a release is made of. */
const functions = ["policy-enforcer", "sql-graph"];

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "dynamos-release-"));
  const withoutTests = (path: string) => !path.endsWith(".test.ts");
  for (const name of [
    "cli",
    "shared",
    "proto",
    ...functions.map((name) => `functions/${name}`),
    "functions/orchestrator",
  ]) {
    cpSync(join(checkout, name), join(home, name), { recursive: true, filter: withoutTests });
  }
  const template = "templates/node18-single-use";
  for (const name of [
    ...["package.json", "package-lock.json", "tsconfig.json", "stack.yml", "LICENSE", ".gitignore"],
    ...[`${template}/package.json`, `${template}/package-lock.json`],
  ]) {
    cpSync(join(checkout, name), join(home, name));
  }
  // The command needs its configuration alone.
  rmSync(join(home, "functions/orchestrator/handler.ts"));
  symlinkSync(join(checkout, "node_modules"), join(home, "node_modules"));
  writeFileSync(join(home, ".gitignore"), "node_modules\n/build/\n");
  writeFileSync(join(home, "CHANGELOG.md"), `# Changelog\n\n## [${version}] - unreleased\n\n### Added\n\n- Wings.\n`);
  git("init", "--quiet", "--initial-branch=main");
  commit("Begin");
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

function git(...args: string[]): string {
  const identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"];
  return execFileSync("git", [...identity, ...args], { cwd: home, encoding: "utf8" });
}

function commit(subject: string): void {
  git("add", "--all");
  git("commit", "--quiet", "-m", subject);
}

function release(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", "cli/release/main.ts", ...args], {
    cwd: home,
    encoding: "utf8",
    env: {
      PATH: process.env.PATH,
      HOME: home,
      NO_COLOR: "1",
      ...Object.fromEntries(
        ["AUTHOR", "COMMITTER"].flatMap((who) => [
          [`GIT_${who}_NAME`, "A"],
          [`GIT_${who}_EMAIL`, "a@example.org"],
        ]),
      ),
    },
  });
  return { status, text: stdout + stderr };
}

const versions = () =>
  [
    ...["", "templates/node18-single-use/"].flatMap((folder) =>
      ["package.json", "package-lock.json"].map(
        (name) => JSON.parse(readFileSync(join(home, folder, name), "utf8")).version,
      ),
    ),
    /^ARG VERSION=(.*)$/m.exec(readFileSync(join(home, "cli/image/Dockerfile"), "utf8"))?.[1],
  ] as string[];

it("refuses a tree that is not clean, a version without text, and a tag that is there, and changes nothing", () => {
  writeFileSync(join(home, "stray"), "");
  git("tag", "v1.0.0");
  const { status, text } = release("1.0.0", "--verified");
  expect(status).toBe(1);
  expect(text).toContain("✘ the version is new\n    there is a tag v1.0.0 already");
  expect(text).toContain("✘ the tree is clean\n    what is not committed would not be in the tag:\n    ?? stray");
  expect(text).toContain('it has no section "## [1.0.0] - YYYY-MM-DD"');
  expect(text).toContain("nothing was changed, as not every check holds");
  rmSync(join(home, "stray"));
  git("tag", "--delete", "v1.0.0");
  expect(release("next").text).toContain("next is not a version like 1.2.3");
  expect(release(version, "--verified").text).toContain(`its section of ${version} has no date`);
  expect(git("status", "--porcelain")).toBe("");
});

it("refuses contracts that those of the last release can't read", () => {
  const file = join(home, "proto/dynamos/v1/query.proto");
  const before = readFileSync(file, "utf8");
  writeFileSync(file, before.replace(/^ {2}string \w+ = 1;$/m, "  int64 changed = 1;"));
  commit("Break");
  const { status, text } = release(version, "--dry-run");
  git("reset", "--quiet", "--hard", "HEAD~1");
  expect(status).toBe(1);
  expect(text).toMatch(/✘ the contracts go with those of the last release\n.*query\.proto:\d+:\d+:(.|\n)*changed type/);
});

it("builds in a dry run what would be released, and writes nothing else", () => {
  const before = versions();
  const { status, text } = release(version, "--dry-run");
  expect(text).toContain("not run: npm run verify");
  expect(status, text).toBe(0);
  expect(git("status", "--porcelain")).toBe("");
  expect(versions()).toEqual(before);
  expect(readdirSync(join(home, "build"))).toEqual(["release"]);
  checkRelease();
}, 60_000);

it("sets the version, keeps the contracts, builds, and tags when told", () => {
  writeFileSync(join(home, "CHANGELOG.md"), `# Changelog\n\n## [${version}] - 2030-01-02\n\n- Wings.\n`);
  commit("Date it");
  const { status, text } = release(version, "--verified", "--tag");
  expect(text).toContain("committed and tagged");
  expect(status, text).toBe(0);
  checkRelease();
  expect(new Set(versions())).toEqual(new Set([version]));
  expect(git("status", "--porcelain")).toBe("");
  expect(git("log", "-1", "--format=%s %D").trim()).toBe(`Release ${version} HEAD -> main, tag: v${version}`);
  const kept = readFileSync(join(home, "proto/baseline.binpb"));
  expect(kept.equals(readFileSync(join(home, "build/release/contracts.binpb")))).toBe(true);
}, 60_000);

function checkRelease(): void {
  const folder = join(home, "build/release");
  expect(readdirSync(folder).sort()).toEqual(
    ["SHA256SUMS", "contracts.binpb", "functions", "image", "licences.txt", "notes.md", "sbom"].sort(),
  );
  expect(readdirSync(join(folder, "functions")).sort()).toEqual(functions);
  expect(readFileSync(join(folder, "notes.md"), "utf8")).toMatch(
    new RegExp(`^# dynamos ${version}\n(.|\n)*- Wings.\n$`),
  );
  const command = join(folder, "image/usr/local/bin/dynamos");
  expect(execFileSync(command, ["--version"], { encoding: "utf8" })).toBe(`${version}\n`);
  for (const name of [...functions, "dynamos"]) {
    const { metadata } = JSON.parse(readFileSync(join(folder, "sbom", `${name}.cdx.json`), "utf8"));
    expect(metadata.component).toMatchObject({ name, version });
  }
  for (const name of functions) {
    const carried = (file: string) => readFileSync(join(folder, "functions", name, file), "utf8");
    expect(carried("sbom.cdx.json")).toBe(readFileSync(join(folder, "sbom", `${name}.cdx.json`), "utf8"));
    expect(carried("licences.txt")).toMatch(/^dynamos-faas\n\nMIT License\n/);
  }
  const checker = "sha256sum";
  execFileSync(checker, ["--check", "--strict", "--quiet", "SHA256SUMS"], { cwd: folder });
  expect(existsSync(join(folder, "functions/sql-graph/worker.js"))).toBe(true);
}
