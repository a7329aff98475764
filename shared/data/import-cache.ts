/**
 * Where a data file's Parquet is. Keyed by what is in the file, so a changed file is imported
 * anew and a touched one is not; two processes may import the same file at once.
 */
import { createHash, randomUUID } from "node:crypto";
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { DataSet, TableDescription } from "#contracts";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { connectionFileEnd } from "./connection-file-end.ts";
import { importCsv } from "./import-csv.ts";
import type { ColumnTypes } from "./parquet-columns.ts";

/** Changes when an import of the same bytes would give other files. */
export const importVersion = 2;

export interface ParquetFile {
  readonly path: string;
  /** The engine's type by column, as the import left them beside its file; undefined: they are in the file alone. */
  readonly types?: ColumnTypes;
}

/** @returns a Parquet file with the table's rows. @throws DynamosError DATA_UNREADABLE */
export async function parquetOf(
  dataSet: DataSet,
  table: TableDescription,
  folders: { data: string; cache: string },
): Promise<ParquetFile> {
  const source = join(folders.data, plainName(table.file));
  if (table.file.endsWith(connectionFileEnd)) {
    throw new DynamosError(ErrorCode.DATA_UNREADABLE, `${table.file} says where a database is, and is no table`);
  }
  const fingerprint = fingerprintOf(source, table.file);
  if (dataSet.type === "parquet") return { path: source };
  const content = await contentHash(source, fingerprint, folders.cache);
  const described = new Map(table.columns.map(({ name, type }) => [name, type]));
  const settings = JSON.stringify([importVersion, dataSet.delimiter, [...described]]);
  const path = join(folders.cache, `${hashOf(content + settings)}.parquet`);
  const known = importedTypes(path);
  if (known !== undefined) return { path, types: known };
  const partial = `${path}.${randomUUID()}`;
  try {
    const types = await importCsv({ source, target: partial, delimiter: dataSet.delimiter || ",", described });
    await rename(partial, path);
    await keep(typesFileOf(path), JSON.stringify([...types]));
    return { path, types };
  } finally {
    await rm(partial, { force: true });
  }
}

const typesFileOf = (parquet: string) => `${parquet}.types`;

/** @returns undefined: this has not been imported, or not wholly */
function importedTypes(parquet: string): ColumnTypes | undefined {
  const text = existsSync(parquet) ? textIn(typesFileOf(parquet)) : "";
  try {
    return new Map(JSON.parse(text) as [string, string][]);
  } catch {
    return undefined;
  }
}

/** Small, and nothing else is to be done meanwhile: the way over Node's threads takes many times as long. */
function textIn(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** In the cache's folder: whole or not there. */
async function keep(path: string, text: string): Promise<void> {
  const partial = `${path}.${randomUUID()}`;
  await writeFile(partial, text, { mode: 0o600 });
  await rename(partial, path);
}

/** @throws DynamosError DATA_UNREADABLE */
export function plainName(file: string): string {
  if (file !== basename(file) || file === "" || file === "." || file === "..") {
    throw new DynamosError(ErrorCode.DATA_UNREADABLE, "a table's file must be a plain file name");
  }
  return file;
}

function fingerprintOf(source: string, file: string): string {
  try {
    const { size, mtimeMs, ino } = statSync(source);
    return hashOf(`${source} ${size} ${mtimeMs} ${ino}`);
  } catch (error) {
    throw new DynamosError(ErrorCode.DATA_UNREADABLE, `the data file ${file} is not there`, { cause: error });
  }
}

/** The file's hash; remembered beside the imports for as long as the file looks the same. */
async function contentHash(source: string, fingerprint: string, cache: string): Promise<string> {
  const memo = join(cache, `${fingerprint}.content`);
  const known = textIn(memo);
  if (/^[0-9a-f]{64}$/.test(known)) return known;
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(source)) hash.update(chunk as Buffer);
  const content = hash.digest("hex");
  await mkdir(cache, { recursive: true, mode: 0o700 });
  await keep(memo, content);
  return content;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
