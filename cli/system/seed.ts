/** What a fresh knowledge base starts with. Live documents are never overwritten. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ErrorCode } from "#contracts";
import { compareNames } from "#domain/by-name";
import { importOriginal } from "#domain/import-original";
import { agreementKey, existenceKey } from "#domain/knowledge-keys";
import { limits } from "#domain/limits";
import { DynamosError, hasCode } from "#errors";
import type { Companion, Knowledge } from "#ports/knowledge";

/** The name that the demo's agreements have for their data. */
export const defaultDataSet = "wageGap";

export interface SeedDocument {
  readonly key: string;
  readonly value: unknown;
}

/** Up to where it came: `~` keeps it out of what sidecars list. */
const markerKey = "~seed/documents";

interface Marker {
  /** The last key that was looked at; they go by their names. */
  readonly upTo: string;
  readonly isDone: boolean;
}

/**
 * Once in the life of a knowledge base: puts what is not there and never was. Which documents it has come to is
 * written with them, in the same transaction, so that two that start at once, one that was killed or one that comes
 * later bring nothing twice, and nothing back that was deleted meanwhile.
 * @returns how many were new. @throws DynamosError
 */
export async function seed(knowledge: Knowledge, documents: readonly SeedDocument[]): Promise<number> {
  // Of two with one key the first counts.
  const byKey = new Map([...documents].reverse().map((document) => [document.key, document]));
  const sorted = [...byKey.values()].sort((a, b) => compareNames(a.key, b.key));
  let added = 0;
  for (let conflicts = 0; ; ) {
    const marker = await knowledge.get(markerKey);
    const { upTo, isDone } = marker === undefined ? { upTo: "", isDone: false } : (JSON.parse(marker.value) as Marker);
    if (isDone) return added;
    const part = firstPart(sorted.filter(({ key }) => compareNames(key, upTo) > 0));
    const companions = await missingOf(knowledge, part);
    const last = part.at(-1)?.key ?? upTo;
    const next: Marker = { upTo: last, isDone: last === (sorted.at(-1)?.key ?? "") };
    try {
      await knowledge.put(markerKey, JSON.stringify(next), { ifRevision: marker?.revision ?? 0, also: companions });
      added += companions.length;
    } catch (error) {
      // Somebody else has come as far, or has put one of them just now: the next look shows which.
      conflicts += 1;
      if (!hasCode(error, ErrorCode.REVISION_CONFLICT) || conflicts >= limits.seedTriesMax) throw error;
    }
  }
}

/** As many as one transaction takes. */
function firstPart(documents: readonly SeedDocument[]): SeedDocument[] {
  const part: SeedDocument[] = [];
  let chars = 0;
  for (const document of documents) {
    chars += JSON.stringify(document.value).length;
    if (part.length > 0 && (part.length >= limits.seedDocumentsAtOnce || chars > limits.seedCharsAtOnce)) break;
    part.push(document);
  }
  return part;
}

async function missingOf(knowledge: Knowledge, documents: readonly SeedDocument[]): Promise<Companion[]> {
  const lists = await Promise.all([knowledge.list("/"), knowledge.list(existenceKey("/"))]);
  const known = new Set(lists.flatMap(({ entries }) => entries.map(({ key }) => key)));
  return documents
    .filter(({ key }) => !known.has(key) && !known.has(existenceKey(key)))
    .map(({ key, value }) => ({ key, value: JSON.stringify(value), ifRevision: 0 }));
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
