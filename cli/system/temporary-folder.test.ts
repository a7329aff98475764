import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeTemporaryFolder } from "./temporary-folder.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "folders-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** A process that has a folder, killed without a chance to remove it. */
async function killedOwner(): Promise<string> {
  const file = join(import.meta.dirname, "temporary-folder.ts");
  const source = `const { makeTemporaryFolder } = await import(${JSON.stringify(file)});
    console.log((await makeTemporaryFolder("run", ${JSON.stringify(root)})).path);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", source]);
  const path = await new Promise<string>((done, failed) => {
    child.stdout.once("data", (chunk) => done(String(chunk).trim()));
    child.once("exit", () => failed(new Error("it ended")));
  });
  const exited = new Promise((done) => child.once("exit", done));
  child.kill("SIGKILL");
  await exited;
  return path;
}

it("removes the folder of a process that was killed when the next one is made", async () => {
  const left = await killedOwner();
  expect(existsSync(left)).toBe(true);
  const own = await makeTemporaryFolder("data", root);
  expect(await readdir(root)).toEqual([own.path.slice(root.length + 1)]);
  await own.remove();
});

it("leaves alone what a living process has, and what is not a run's", async () => {
  const first = await makeTemporaryFolder("run", root);
  await mkdir(join(root, "dynamos-rabbitmq-x1-2-3-"));
  const second = await makeTemporaryFolder("run", root);
  expect(await readdir(root)).toHaveLength(3);
  await Promise.all([first.remove(), second.remove()]);
  expect(await readdir(root)).toEqual(["dynamos-rabbitmq-x1-2-3-"]);
});

it("does not take a new process for the owner because it has the same pid", async () => {
  const mine = await makeTemporaryFolder("run", root);
  const name = mine.path.slice(root.length + 1);
  const [kind, what, space, pid, start] = name.split("-");
  await mkdir(join(root, [kind, what, space, pid, `${Number(start) - 1}`, "abcdef"].join("-")));
  const next = await makeTemporaryFolder("run", root);
  expect((await readdir(root)).sort()).toEqual([name, next.path.slice(root.length + 1)].sort());
  await Promise.all([mine.remove(), next.remove()]);
});
