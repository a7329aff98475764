/** A CSV file as Parquet: normalised, typed, and ready to be opened in milliseconds. */
import { createReadStream, createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { basename } from "node:path";
import { pipeline } from "node:stream/promises";
import { ErrorCode } from "#contracts";
import { DynamosError, toDynamosError } from "#errors";
import { normaliseCsv } from "./csv-normalise.ts";
import { type DuckDBConnection, literal, openEngine, outOfMemory, quoted } from "./duckdb.ts";
import { inferTypes } from "./infer-types.ts";
import { type ColumnTypes, parquetColumns } from "./parquet-columns.ts";

export interface CsvImport {
  readonly source: string;
  /** Where the Parquet goes; beside it a temporary file for the time of the import. */
  readonly target: string;
  readonly delimiter: string;
  /** Types that the catalogue describes, by column. */
  readonly described: ReadonlyMap<string, string>;
}

const importMemoryMb = 1_024;

/** @returns the columns as the Parquet has them. @throws DynamosError DATA_UNREADABLE naming file, row and column */
export async function importCsv(options: CsvImport): Promise<ColumnTypes> {
  const file = basename(options.source);
  const normalised = `${options.target}.csv`;
  try {
    const header = await writeNormalised(options, normalised, file);
    const columns = headerNames(header, options.delimiter, file);
    const engine = await openEngine({ memoryMb: importMemoryMb, threads: 1 });
    try {
      return await toParquet(engine.connection, options, { file, normalised, columns });
    } finally {
      engine.close();
    }
  } catch (error) {
    throw outOfMemory(error) ?? toDynamosError(error, ErrorCode.DATA_UNREADABLE, `${file} can't be imported`);
  } finally {
    await rm(normalised, { force: true });
  }
}

/** @returns the header record */
async function writeNormalised({ source, delimiter }: CsvImport, target: string, file: string): Promise<string> {
  let header: string | undefined;
  await pipeline(
    normaliseCsv(createReadStream(source), { file, delimiter }),
    async function* (blocks: AsyncIterable<Buffer>) {
      for await (const block of blocks) {
        header ??= block.subarray(0, endOfRecord(block)).toString("utf8");
        yield block;
      }
    },
    createWriteStream(target, { mode: 0o600 }),
  );
  return header ?? "";
}

/** A quoted line break does not end the header. */
function endOfRecord(block: Buffer): number {
  let quotes = 0;
  for (const [i, byte] of block.entries()) {
    if (byte === 0x22) quotes += 1;
    if (byte === 0x0a && quotes % 2 === 0) return i;
  }
  return block.length;
}

function headerNames(header: string, delimiter: string, file: string): string[] {
  const names = splitRecord(header, delimiter).map((name) => name.trim());
  const seen = new Set<string>();
  for (const [i, name] of names.entries()) {
    const problem = name === "" ? "is empty" : seen.has(name.toLowerCase()) ? "is there twice" : undefined;
    if (problem !== undefined) {
      throw new DynamosError(ErrorCode.DATA_UNREADABLE, `${file}, row 1, column ${i + 1}: the column name ${problem}`);
    }
    seen.add(name.toLowerCase());
  }
  return names;
}

/** The values of one normalised record. */
function splitRecord(record: string, delimiter: string): string[] {
  const values: string[] = [];
  for (let at = 0; at <= record.length; ) {
    const quotedField = /^"((?:[^"]|"")*)"/.exec(record.slice(at));
    const next = record.indexOf(delimiter, at);
    const end = quotedField ? at + quotedField[0].length : next < 0 ? record.length : next;
    values.push(quotedField ? (quotedField[1] ?? "").replaceAll('""', '"') : record.slice(at, end));
    at = end + 1;
  }
  return values;
}

async function toParquet(
  connection: DuckDBConnection,
  { target, delimiter, described }: CsvImport,
  { file, normalised, columns }: { file: string; normalised: string; columns: readonly string[] },
): Promise<ColumnTypes> {
  const schema = columns.map((name) => `${literal(name)}: 'VARCHAR'`).join(", ");
  await connection.run(
    `CREATE TABLE raw AS SELECT * FROM read_csv(${literal(normalised)}, delim = ${literal(delimiter)}, quote = '"', escape = '"',
       header = true, auto_detect = false, columns = {${schema}}, nullstr = '', allow_quoted_nulls = false,
       max_line_size = 33554432)`,
  );
  const types = await inferTypes(connection, { file, table: "raw", columns, described });
  const selected = columns
    .map((name) => `CAST(${quoted(name)} AS ${types.get(name) ?? "VARCHAR"}) AS ${quoted(name)}`)
    .join(", ");
  await connection.run(`COPY (SELECT ${selected} FROM raw) TO ${literal(target)} (FORMAT parquet, COMPRESSION zstd)`);
  // Not as they were asked for: Parquet does not have all of the engine's types.
  return parquetColumns(connection, target);
}
