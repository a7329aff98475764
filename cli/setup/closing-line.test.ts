import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";

const home = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "closing-line-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const passing = 'it("holds", () => {});';
/** What a test file says, and the line that a run of it ends with. A title is what the line is about. */
const cases: readonly [title: string, source: string, line: string][] = [
  ["passed tests", passing, "1 passed, 0 failed"],
  ["a failed test", `${passing} it("fails", () => expect(1).toBe(2));`, "1 passed, 1 failed"],
  ["a skipped test", `${passing} it.skip("waits", () => {});`, "1 passed, 0 failed, 1 skipped"],
  ["a file that can't be loaded", 'import "./absent.ts";', "0 passed, 1 failed"],
  ["a hook that throws", `${passing} afterAll(() => { throw new Error("late") });`, "1 passed, 1 failed"],
  [
    "a suite's hook that throws",
    `describe("group", () => { beforeAll(() => { throw new Error("early") }); ${passing} });`,
    "0 passed, 1 failed, 1 skipped",
  ],
  ["skipped tests only", 'it.skip("waits", () => {});', "0 passed, 1 failed, 1 skipped"],
];

it.for(cases)("the last line counts %s, and the exit code agrees", ([, source, line], { expect }) => {
  const { lastLine, status } = runVitest({ "one.test.js": source });
  expect(lastLine).toBe(line);
  expect(status === 0).toBe(line.includes(" 0 failed"));
});

it("a run that finds no test file fails", () => {
  expect(runVitest({})).toEqual({ lastLine: "0 passed, 1 failed", status: 1 });
});

it("a global set-up that throws fails the run", () => {
  const files = {
    "one.test.js": passing,
    "setup.js": 'export default () => { throw new Error("no broker"); };',
    "vitest.config.mjs": 'export default { test: { globalSetup: "./setup.js" } };',
  };
  expect(runVitest(files)).toEqual({ lastLine: "0 passed, 1 failed", status: 1 });
});

/** Runs vitest with the reporter in a folder of its own that holds only these files. */
function runVitest(files: Readonly<Record<string, string>>) {
  const root = mkdtempSync(join(folder, "run-"));
  for (const [name, source] of Object.entries(files)) writeFileSync(join(root, name), source);
  const reporters = ["--reporter=default", `--reporter=${join(home, ".config/closing-line.ts")}`];
  const { stdout, status } = spawnSync(
    process.execPath,
    [join(home, "node_modules/vitest/vitest.mjs"), "run", `--root=${root}`, "--globals", ...reporters],
    { cwd: root, encoding: "utf8", env: childEnvironment() },
  );
  return { lastLine: stdout.trimEnd().split("\n").at(-1), status };
}

/** Without what the outer vitest put there: an inner one would take itself for a worker. */
function childEnvironment(): NodeJS.ProcessEnv {
  const outer = /^(VITEST|TEST$|NODE_ENV$|NODE_EXTRA_CA_CERTS$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !outer.test(name)));
}
