import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { buildDigest } from "./build-digest.ts";

const folder = mkdtempSync(join(tmpdir(), "dynamos-build-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const [door, worker] = ["index.js", "worker.js"].map((name) => join(folder, name));

it("is another one when either file is, and nothing when one is not there", () => {
  writeFileSync(door ?? "", "door");
  writeFileSync(worker ?? "", "worker");
  const first = buildDigest([door, worker]);
  expect(first).toMatch(/^[0-9a-f]{64}$/);
  expect(buildDigest([door, worker])).toBe(first);
  writeFileSync(worker ?? "", "worker!");
  expect(buildDigest([door, worker])).not.toBe(first);
  expect(buildDigest([door, join(folder, "none.js")])).toBe("");
  expect(buildDigest([undefined])).toBe("");
});
