/** The rows of one PostgreSQL table into the session's table, block by block: never more of them twice than one block. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { type DuckDBConnection, literal, outOfMemory, quoted, rowsOf } from "../duckdb.ts";
import type { Selection } from "../table-rows.ts";
import type { ReadColumn } from "./column-types.ts";
import { type CopiedRows, CopyOut } from "./copy-out.ts";
import type { OpenConnection } from "./open-connection.ts";
import { postgresError } from "./postgres-error.ts";

export interface LoadedRelation {
  readonly connection: OpenConnection;
  /** As a FROM clause has it. */
  readonly from: string;
  readonly columns: readonly ReadColumn[];
}

/** @throws DynamosError DATA_UNREADABLE, DATA_UNAVAILABLE, DEADLINE_EXCEEDED, RESULT_TOO_LARGE; the engine's own errors */
export async function loadRows(
  engine: DuckDBConnection,
  relation: LoadedRelation,
  selection: Selection,
): Promise<void> {
  const { connection, from, columns } = relation;
  const none = columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS ${quoted(name)}`).join(", ");
  // Says before a row is read what is wrong with the filter.
  await engine.run(`CREATE TABLE ${quoted(selection.table)} AS ${selected(`(SELECT ${none})`, selection)} LIMIT 0`);
  const folder = await mkdtemp(join(tmpdir(), "dynamos-rows-"));
  try {
    const block = join(folder, "block.csv");
    const copy = new CopyOut(copySql(from, columns), limits.postgresBlockBytes);
    connection.client.query(copy);
    const read = { rows: 0, bytes: 0 };
    for (let rows = await next(copy, connection); rows !== undefined; rows = await next(copy, connection)) {
      checkSize(read, rows, connection);
      await writeFile(block, rows.bytes, { mode: 0o600 });
      await insert(engine, { block, rows }, relation, selection);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function next(copy: CopyOut, { what }: OpenConnection): Promise<CopiedRows | undefined> {
  return copy.next().catch((error: unknown) => {
    throw postgresError(error, what);
  });
}

/** Every value in quotes, so that only null is without. */
function copySql(from: string, columns: readonly ReadColumn[]): string {
  const list = columns.map(({ sql }) => sql).join(", ");
  return `COPY (SELECT ${list} FROM ${from}) TO STDOUT (FORMAT csv, NULL '\\N', FORCE_QUOTE *, ENCODING 'UTF8')`;
}

function selected(from: string, { table, columns, where }: Selection): string {
  return `SELECT ${columns.join(", ")} FROM ${from} AS ${quoted(table)}${where}`;
}

function checkSize(read: { rows: number; bytes: number }, { rows, bytes }: CopiedRows, { what }: OpenConnection): void {
  read.rows += rows;
  read.bytes += bytes.length;
  if (read.rows > limits.tableRowsMax || read.bytes > limits.postgresBytesMax) {
    const most = `${limits.tableRowsMax} rows and ${limits.postgresBytesMax} bytes`;
    throw new DynamosError(ErrorCode.RESULT_TOO_LARGE, `${what} has a table of more than ${most}: read a view of it`);
  }
}

interface Block {
  readonly block: string;
  readonly rows: CopiedRows;
}

async function insert(
  engine: DuckDBConnection,
  block: Block,
  { connection, columns }: LoadedRelation,
  selection: Selection,
): Promise<void> {
  const typed = columns.map(({ name, type }, i) => `${cast(`c${i}`, type)} AS ${quoted(name)}`).join(", ");
  const text = textOf(block, columns.length);
  const rows = `(SELECT ${typed} FROM ${text})`;
  await engine
    .run(`INSERT INTO ${quoted(selection.table)} ${selected(rows, selection)}`)
    .catch(async (error: unknown) => {
      if (outOfMemory(error) !== undefined) throw error;
      throw (await oddValue(engine, text, columns, connection.what)) ?? error;
    });
}

/** The file as a table of text c0, c1, … */
function textOf({ block, rows: { bytes, longestRowBytes } }: Block, width: number): string {
  const columns = Array.from({ length: width }, (_, i) => `c${i}: 'VARCHAR'`).join(", ");
  // The engine takes as much memory as it is told that it may need.
  const longest = longestRowBytes + 1;
  return `read_csv(${literal(block)}, delim = ',', quote = '"', escape = '"', header = false, auto_detect = false,
    columns = {${columns}}, nullstr = '\\N', allow_quoted_nulls = false, new_line = '\\n',
    max_line_size = ${longest}, buffer_size = ${Math.max(bytes.length, longest) + 1})`;
}

const datelike: ReadonlySet<string> = new Set(["DATE", "TIMESTAMP"]);
/** What the engine would read as another date: years before 1, and no date at all. */
const odd = (column: string) => `(${column} LIKE '%BC' OR ${column} LIKE '%infinity')`;

function cast(column: string, type: string): string {
  const value = `CAST(${column} AS ${type})`;
  return datelike.has(type) ? `CASE WHEN ${odd(column)} THEN error('odd') ELSE ${value} END` : value;
}

/** Which column has a value that its type can't hold, if one has. */
async function oddValue(
  engine: DuckDBConnection,
  text: string,
  columns: readonly ReadColumn[],
  what: string,
): Promise<DynamosError | undefined> {
  for (const [i, { name, type }] of columns.entries()) {
    const isOdd = datelike.has(type) ? ` OR ${odd(`c${i}`)}` : "";
    const sql = `SELECT 1 FROM ${text} WHERE c${i} IS NOT NULL AND (TRY_CAST(c${i} AS ${type}) IS NULL${isOdd}) LIMIT 1`;
    const found = await rowsOf(engine, sql).catch(() => undefined);
    if (found === undefined)
      return new DynamosError(ErrorCode.DATA_UNREADABLE, `${what} has rows that can't be taken in`);
    if (found.length > 0) {
      const way = "leave it out in a view, or describe the column as text in the data set";
      return new DynamosError(
        ErrorCode.DATA_UNREADABLE,
        `${what}: the column ${name} has a value that ${type} does not hold here, such as infinity or a year BC: ${way}`,
      );
    }
  }
  return undefined;
}
