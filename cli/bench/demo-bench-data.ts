/** The demo's data and documents in a folder of their own. */
import { demoDataSets, writeDemoData } from "#data/demo-data";
import { dataSetKey } from "#domain/knowledge-keys";
import { demoDocuments } from "../demo/documents.ts";
import type { SeedDocument } from "../system/seed.ts";
import { makeTemporaryFolder } from "../system/temporary-folder.ts";

export interface DemoData {
  /** With the files of all parties. */
  readonly folder: string;
  readonly documents: readonly SeedDocument[];
  remove(): Promise<void>;
}

export async function makeDemoData(): Promise<DemoData> {
  const { path: folder, remove } = await makeTemporaryFolder("data");
  await writeDemoData(folder);
  const dataSets = demoDataSets.map((value) => ({ key: dataSetKey(value.party, value.name), value }));
  return { folder, documents: [...demoDocuments, ...dataSets], remove };
}
