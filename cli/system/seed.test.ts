import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { demoDocuments } from "../demo/documents.ts";
import { documentsOfFolder } from "./seed.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-seed-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const put = (name: string, text: string) => writeFile(join(folder, name), text);

it("offers the tables of a folder that holds data alone under the demo's agreements", async () => {
  await put("Personen_UVA.csv", "a\n1\n");
  await put("Extra_table_VU.csv", "a\n1\n");
  const documents = new Map((await documentsOfFolder(folder, demoDocuments)).map(({ key, value }) => [key, value]));
  expect(documents.get("/dataSets/UVA/wageGap")).toMatchObject({
    tables: [{ name: "Personen", file: "Personen_UVA.csv" }],
  });
  expect(documents.get("/dataSets/VU/wageGap")).toMatchObject({
    tables: [{ name: "Extra_table", file: "Extra_table_VU.csv" }],
  });
  expect(documents.get("/agreements/UVA")).toMatchObject({
    demandedSteps: { sqlDataRequest: ["sql-anonymize"] },
  });
});

it("takes the folder's own configuration where it is there", async () => {
  await put("Personen_UVA.csv", "a\n1\n");
  await put("agreements.json", JSON.stringify([{ name: "UVA", relations: {} }]));
  await put("datasets.json", JSON.stringify([{ name: "mine", type: "csv", tables: ["Personen"] }]));
  const keys = (await documentsOfFolder(folder, demoDocuments)).map(({ key }) => key);
  expect(keys).toContain("/dataSets/UVA/mine");
  expect(keys).not.toContain("/agreements/VU");
});

it.each([
  ["no CSV file at all", "notes.txt", "x", "has no CSV files named Table_PARTY.csv"],
  ["a configuration that is not JSON", "agreements.json", "{", "agreements.json is not JSON"],
])("says what is wrong with a folder that has %s", async (_, name, text, message) => {
  await put(name, text);
  await expect(documentsOfFolder(folder, demoDocuments)).rejects.toMatchObject({
    label: "DATA_UNREADABLE",
    message: expect.stringContaining(message),
  });
});
