import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeDoorFolder } from "./worker-folder.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "dynamos-test-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

it("gives each worker an empty folder that only its user may enter", async () => {
  const folder = makeDoorFolder(root);
  const [one, other] = [folder.forWorker(), folder.forWorker()];
  expect(one).not.toBe(other);
  expect([statSync(one).mode & 0o777, statSync(other).mode & 0o777]).toEqual([0o700, 0o700]);
  expect(readdirSync(one)).toEqual([]);
  await folder.remove();
  expect(readdirSync(root)).toEqual([]);
});

it("removes what a door left that was killed, and nothing of one that lives or of others", () => {
  const own = makeDoorFolder(root).forWorker();
  const prefix = readdirSync(root)[0]?.replace(/\d+-[^-]*$/, "") as string;
  const dead = spawnSync("true").pid;
  const left = [`${prefix}${dead}-aaaaaa`, `${prefix}1-bbbbbb`, "dynamos-notours", "else"];
  for (const name of left) mkdirSync(join(root, name));
  makeDoorFolder(root);
  expect(left.map((name) => existsSync(join(root, name)))).toEqual([false, true, true, true]);
  expect(existsSync(own)).toBe(true);
});
