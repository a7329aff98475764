/** What a fresh knowledge base starts with. Live documents are never overwritten. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ErrorCode } from "#contracts";
import { importOriginal } from "#domain/import-original";
import { agreementKey } from "#domain/knowledge-keys";
import { DynamosError, hasCode } from "#errors";
import type { Knowledge } from "#ports/knowledge";

/** The name that the demo's agreements have for their data. */
export const defaultDataSet = "wageGap";

export interface SeedDocument {
  readonly key: string;
  readonly value: unknown;
}

/** Puts what is not there yet. @returns how many were new */
export async function seed(knowledge: Knowledge, documents: readonly SeedDocument[]): Promise<number> {
  let added = 0;
  for (const { key, value } of documents) {
    try {
      await knowledge.put(key, JSON.stringify(value), { ifRevision: 0 });
      added += 1;
    } catch (error) {
      if (!hasCode(error, ErrorCode.REVISION_CONFLICT)) throw error;
    }
  }
  return added;
}

/**
 * The documents of a folder with the original's files: its JSON configuration where it is there,
 * the given documents for what is not, and data sets for the CSV files named `Table_PARTY.csv`
 * (delimiter `;`).
 */
export async function documentsOfFolder(folder: string, defaults: readonly SeedDocument[]): Promise<SeedDocument[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new DynamosError(ErrorCode.DATA_UNREADABLE, `can't read the folder ${folder}`, { cause: error });
  });
  const files: Record<string, unknown> = {};
  for (const name of names.filter((one) => one.endsWith(".json"))) {
    files[name] = await readConfiguration(join(folder, name));
  }
  const dataFiles = names.filter((name) => name.endsWith(".csv"));
  if (dataFiles.length === 0) {
    throw new DynamosError(ErrorCode.DATA_UNREADABLE, `${folder} has no CSV files named Table_PARTY.csv`);
  }
  const imported = importOriginal({ ...withoutConfiguration(dataFiles, defaults), ...files }, dataFiles);
  const kinds = new Set(imported.map(({ key }) => kindOf(key)));
  return [...imported, ...defaults.filter(({ key }) => !kinds.has(kindOf(key)))];
}

/** Of a folder that holds data alone: the given agreements, over one data set of all its tables. */
function withoutConfiguration(dataFiles: readonly string[], defaults: readonly SeedDocument[]) {
  const tables = new Set(dataFiles.flatMap((name) => /^(.+)_[^_]+\.csv$/.exec(name)?.[1] ?? []));
  return {
    "agreements.json": defaults.filter(({ key }) => kindOf(key) === kindOf(agreementKey(""))).map(({ value }) => value),
    "datasets.json": [{ name: defaultDataSet, type: "csv", delimiter: ";", tables: [...tables] }],
  };
}

async function readConfiguration(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new DynamosError(ErrorCode.DATA_UNREADABLE, `${path} is not JSON`, { cause: error });
  }
}

function kindOf(key: string): string {
  return key.split("/")[1] ?? "";
}
