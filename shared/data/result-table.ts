/** What SQL gives as a table on its way out of the step: all of it, or its head. */
import type { RecordBatch } from "apache-arrow";
import type { Table } from "#contracts";
import { limits } from "#domain/limits";
import type { ColumnNote } from "./column-notes.ts";
import { type DuckDBConnection, literal, rowsOf } from "./duckdb.ts";
import { EndedEarly, queryResult } from "./duckdb-table.ts";
import { isDropped } from "./protect-column.ts";
import type { TableNotes } from "./table-notes.ts";
import { checkRows, type Emit, tableSink } from "./table-sink.ts";

export interface ResultWanted {
  readonly sql: string;
  /** By place. */
  readonly columns: readonly ColumnNote[];
  /** What the rows take along. */
  readonly notes: TableNotes;
  /** Gets the rows while they come, when they are too many to be returned. */
  readonly emit: Emit;
  /** An agreement's. */
  readonly rowsMax: number | undefined;
  /** Of a table that is longer than its head, only that. */
  readonly headAlone: boolean;
  /** Whether columns are held as their rules have it: of one that is dropped, every value is null then. */
  readonly isProtected: boolean;
  /** Whether it is rows of tables with their columns as they are: counted faster than handed out, and none can fail. */
  readonly isOfRows: boolean;
  /** How many rows the table has of which only the first ones, as they are, were loaded; undefined: all were. */
  readonly headOf: number | undefined;
  /** Whether its time is over. */
  readonly isLate: () => boolean;
}

/** Few rows between two looks: of wide ones, many would be more than an envelope takes. */
const head = { rows: limits.headRows, bytes: limits.headBytes, rowsBetweenLooks: 16 };

/** @throws DynamosError RESULT_TOO_LARGE, TYPE_MISMATCH; the engine's own errors as they are */
export async function resultTable(connection: DuckDBConnection, wanted: ResultWanted): Promise<Table> {
  try {
    return await streamed(connection, wanted);
  } catch (error) {
    throw error instanceof EndedEarly && !wanted.isLate() ? await reasonOf(connection, wanted.sql, error) : error;
  }
}

async function streamed(connection: DuckDBConnection, wanted: ResultWanted): Promise<Table> {
  const { sql, columns, notes, emit, rowsMax = Number.POSITIVE_INFINITY, headAlone, isOfRows, headOf } = wanted;
  const result = await queryResult(connection, sql, columns, headAlone ? head : undefined);
  const sink = tableSink(result.schema, emit, rowsMax);
  const batches = result.batches();
  const first = headAlone ? (await batches.next()).value : undefined;
  if (first !== undefined) {
    await sink.write(first);
    // What does not fit its envelope is no quicker than the whole.
    if (headOf !== undefined || (isFilled(first, wanted) && first.data.byteLength <= limits.inlineBytesMax)) {
      const enough = Math.min(rowsMax, limits.tableRowsMax) + 1;
      const rows = headOf ?? (isOfRows ? await counted(connection, sql) : await result.countRows(enough));
      checkRows(rows, rowsMax);
      return sink.finish(rows === first.numRows ? notes : { ...notes, headOf: rows });
    }
  }
  for await (const batch of batches) await sink.write(batch);
  return sink.finish(notes);
}

/** `query` takes the text as it is, with comments and semicolons. Ends the result that is being read. */
async function counted(connection: DuckDBConnection, sql: string): Promise<number> {
  const [row] = await rowsOf(connection, `SELECT count(*) FROM query(${literal(sql)})`);
  return Number(row?.[0]);
}

/** Everything is computed again, and nothing handed out: so the engine says what goes wrong. */
async function reasonOf(connection: DuckDBConnection, sql: string, ended: EndedEarly): Promise<unknown> {
  try {
    await connection.run("ROLLBACK");
    await connection.run(`SELECT max(hash(COLUMNS(*))) FROM query(${literal(sql)})`);
    return ended;
  } catch (error) {
    // Of what is around it, which is not the user's.
    return error instanceof Error && /^(Parser|Binder|Catalog) Error/.test(error.message) ? ended : error;
  }
}

/** A column that holds nothing yet fits any type in a union, and the rest of it might not: then there is no head. */
function isFilled({ data }: RecordBatch, { columns, isProtected }: ResultWanted): boolean {
  const areKnown = isProtected && columns.length === data.children.length;
  const isNull = (i: number) => areKnown && isDropped(columns[i]?.anonymize ?? "");
  return data.children.every(({ nullCount, length }, i) => nullCount < length || isNull(i));
}
