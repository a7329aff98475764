import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { demoDataSets } from "#data/demo-data";
import { dataSetKey } from "#domain/knowledge-keys";
import { demoDocuments } from "../demo/documents.ts";
import { readDocumentFolder, writeDocumentFolder } from "./document-folder.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-documents-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function place(file: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, file)), { recursive: true });
  await writeFile(join(folder, file), text);
}

const archetype = JSON.stringify({ name: "a", computeProvider: "other", resultRecipient: "requestor", weight: 1 });

describe("a folder of documents", () => {
  it("gives back what was written", async () => {
    const dataSets = demoDataSets.map((value) => ({ key: dataSetKey(value.party, value.name), value }));
    const documents = [...demoDocuments, ...dataSets];
    const files = await writeDocumentFolder(folder, documents);
    expect(files).toContain(join("agreements", "UVA.json"));
    expect(files).toContain(join("data-sets", "UVA", "wageGap.json"));
    const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1);
    expect([...(await readDocumentFolder(folder))].sort(byKey)).toEqual([...documents].sort(byKey));
  });

  it("is not written over", async () => {
    await writeDocumentFolder(folder, demoDocuments);
    const before = await readdir(folder, { recursive: true });
    await expect(writeDocumentFolder(folder, demoDocuments)).rejects.toThrow("is there already");
    expect(await readdir(folder, { recursive: true })).toEqual(before);
  });

  it.each([
    ["is empty", undefined, "", "has no documents"],
    ["has a file of no kind", "archetype/a.json", archetype, "belongs to no kind of document"],
    ["has a file too deep", "archetypes/x/a.json", archetype, "belongs to no kind of document"],
    ["has a data set of no party", "data-sets/a.json", "{}", "belongs to no kind of document"],
    ["has a file that is no JSON", "archetypes/a.json", "{", "a.json: is not JSON"],
    ["has a file that is not valid", "archetypes/a.json", '{"name":"a"}', "the archetype is not valid"],
    ["has a document under another name", "archetypes/b.json", archetype, "holds what belongs in archetypes/a.json"],
  ])("that %s is refused", async (_, file, text, message) => {
    if (file !== undefined) await place(file, text);
    await expect(readDocumentFolder(folder)).rejects.toThrow(message);
  });

  it("that is not there is refused", async () => {
    await expect(readDocumentFolder(join(folder, "none"))).rejects.toThrow("can't be read as a folder");
  });
});
