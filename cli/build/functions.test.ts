import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { buildFunctions } from "./functions.ts";

const checkout = resolve(import.meta.dirname, "../..");
let home: string;

/** A checkout with one function of its own; the rest is the real one's. */
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "dynamos-test-"));
  for (const name of ["shared", "node_modules"]) await symlink(join(checkout, name), join(home, name));
  for (const name of ["package.json", "package-lock.json", "tsconfig.json"])
    await cp(join(checkout, name), join(home, name));
  await mkdir(join(home, "cli/build"), { recursive: true });
  await mkdir(join(home, "functions/tiny"), { recursive: true });
  await writeHandler("once");
});
afterEach(() => rm(home, { recursive: true, force: true }));

function writeHandler(message: string): Promise<void> {
  return writeFile(
    join(home, "functions/tiny/handler.ts"),
    `import { fail } from "#domain/outcome";
import { defineStep } from "#runtime/define-step";
export default defineStep({ name: "tiny", isolation: "shared", accepts: "nothing", facts: () => 1, decide: () => fail(90, "${message}") });`,
  );
}

it("builds when something has changed, and only then", async () => {
  expect(await buildFunctions({ home })).toEqual(["tiny"]);
  expect((await readdir(join(home, "build/functions/tiny"))).sort()).toEqual([
    "index.js",
    "json-codec.js",
    "package.json",
  ]);
  expect(await buildFunctions({ home })).toBeUndefined();
  await writeHandler("changed");
  expect(await buildFunctions({ home })).toEqual(["tiny"]);
  expect(await buildFunctions({ home })).toBeUndefined();
  await writeFile(join(home, "package-lock.json"), "{}");
  expect(await buildFunctions({ home })).toEqual(["tiny"]);
  expect(await buildFunctions({ home, force: true })).toEqual(["tiny"]);
});

it("leaves what was built when a build fails, and builds again after it", async () => {
  await buildFunctions({ home });
  await writeFile(join(home, "functions/tiny/handler.ts"), "export default {");
  await expect(buildFunctions({ home })).rejects.toThrow();
  expect(await readdir(join(home, "build"))).toEqual(["functions"]);
  expect(await readdir(join(home, "build/functions/tiny"))).toContain("index.js");
  await writeHandler("another");
  expect(await buildFunctions({ home })).toEqual(["tiny"]);
});
