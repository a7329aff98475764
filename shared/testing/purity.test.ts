import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const home = fileURLToPath(new URL("../..", import.meta.url));
const [restrictedProperty, restrictedGlobal, plugin] = [
  "lint/nursery/noJsRestrictedProperties",
  "lint/style/noRestrictedGlobals",
  "plugin",
];

/** A line of code, and the rule that refuses it there; undefined: it is allowed. */
const cases: readonly [file: string, code: string, rule: string | undefined][] = [
  ["shared/domain/now.ts", "Date.now()", plugin],
  ["shared/domain/new-date.ts", "new Date()", plugin],
  ["shared/domain/given-instant.ts", "new Date(5).toISOString()", undefined],
  ["shared/domain/environment.ts", "process.env", restrictedGlobal],
  ["shared/domain/performance.ts", "performance.now()", restrictedGlobal],
  ["shared/domain/wait.ts", "setTimeout(() => {}, 1)", restrictedGlobal],
  ["shared/domain/chance.ts", "Math.random()", restrictedProperty],
  ["shared/domain/chance.test.ts", "Math.random()", undefined],
  ["shared/data/chance.ts", "Math.random()", restrictedProperty],
  ["shared/runtime/chance.ts", "Math.random()", restrictedProperty],
  ["shared/runtime/now.ts", "Date.now()", undefined],
  ["functions/sql-query/now.ts", "Date.now()", plugin],
  ["functions/orchestrator/now.ts", "Date.now()", undefined],
  ["functions/orchestrator/chance.ts", "Math.random()", restrictedProperty],
];

it("lint keeps pure code from clock, chance, waiting and environment, and nothing else", () => {
  const findings = lint(new Map(cases.map(([file, code]) => [file, `export const planted = ${code};\n`])));
  const expected = cases.flatMap(([file, , rule]) => (rule === undefined ? [] : [`${file}: ${rule}`]));
  expect(findings).toEqual(expected.sort());
});

/** Lints the files in a folder of their own by the repository's rules. */
function lint(files: ReadonlyMap<string, string>): string[] {
  const root = mkdtempSync(join(tmpdir(), "purity-"));
  try {
    for (const path of [".biome.json", ".config/no-clock.grit"]) cpSync(join(home, path), join(root, path));
    for (const [path, source] of files) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), source);
    }
    const biome = join(home, "node_modules/@biomejs/biome/bin/biome");
    const args = [biome, "lint", "--reporter=github", "--max-diagnostics=none", "."];
    const { stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
    const found = stdout.matchAll(/^::error title=([^,]+),file=([^,]+)/gm);
    return [...found]
      .map(([, rule, file = ""]) => `${file.slice(file.search(/(shared|functions)\//))}: ${rule}`)
      .sort();
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
