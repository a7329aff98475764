import { mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DataSet } from "#contracts";
import { dataRevision } from "./data-revision.ts";

let data: string;
let cache: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "dynamos-data-"));
  cache = await mkdtemp(join(tmpdir(), "dynamos-cache-"));
  await writeFile(join(data, "A.csv"), "x\n1\n");
});
afterEach(() => Promise.all([data, cache].map((folder) => rm(folder, { recursive: true, force: true }))));

const set = (change: object = {}) =>
  DataSet.fromPartial({ name: "s", party: "UVA", type: "csv", tables: [{ name: "A", file: "A.csv" }], ...change });
const revision = (sets = [set()]) => dataRevision(sets, { data, cache });

it("is the same for the same data", async () => {
  const first = await revision();
  expect(first).toMatch(/^[\w-]{43}$/);
  expect(await revision()).toBe(first);
});

it.each<[string, () => Promise<unknown>]>([
  ["other bytes of the same length", () => writeFile(join(data, "A.csv"), "x\n2\n")],
  [
    "a file in its place, as old and as long",
    async () => {
      await writeFile(join(data, "B.csv"), "x\n1\n");
      await utimes(join(data, "B.csv"), 1, 1);
      await rename(join(data, "B.csv"), join(data, "A.csv"));
    },
  ],
  ["another secret", () => rm(join(cache, "data-revision.secret"))],
])("is another for %s", async (_, change) => {
  await utimes(join(data, "A.csv"), 1, 1);
  const first = await revision();
  await change();
  await utimes(join(data, "A.csv"), 1, 1);
  expect(await revision()).not.toBe(first);
});

it("is another when the document says something else of the data", async () => {
  expect(await revision([set({ delimiter: ";" })])).not.toBe(await revision());
});

it.each<[string, DataSet]>([
  ["rows of a database", set({ type: "postgres" })],
  ["a file that is not there", set({ tables: [{ name: "B", file: "B.csv" }] })],
  ["a path", set({ tables: [{ name: "B", file: "../A.csv" }] })],
])("is not known of %s", async (_, other) => {
  expect(await revision([set(), other])).toBe("");
});

it("is not known where its secret can't be kept", async () => {
  await rm(cache, { recursive: true });
  await writeFile(cache, "no folder");
  expect(await revision()).toBe("");
});

it("has one secret, whoever comes first", async () => {
  const all = (await Promise.all(Array.from({ length: 8 }, () => revision()))).filter((name) => name !== "");
  expect(new Set(all).size).toBe(1);
});
