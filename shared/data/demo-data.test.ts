import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { dataSetFromJson } from "#contracts/documents";
import { demoDataSets, writeDemoData } from "./demo-data.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-demo-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("writes the same bytes each time", async () => {
  await writeDemoData(join(folder, "a"));
  await writeDemoData(join(folder, "b"));
  for (const name of await readdir(join(folder, "a"))) {
    expect(await readFile(join(folder, "a", name), "utf8")).toBe(await readFile(join(folder, "b", name), "utf8"));
  }
});

it("writes the files that its data sets describe, with their columns", async () => {
  await writeDemoData(folder);
  for (const { tables } of demoDataSets.map(dataSetFromJson)) {
    for (const { file, columns } of tables) {
      const [header = "", first = ""] = (await readFile(join(folder, file), "utf8")).split("\r\n");
      expect(header.split(";")).toEqual(columns.map(({ name }) => name));
      expect(first.split(";")).toHaveLength(columns.length);
    }
  }
});
