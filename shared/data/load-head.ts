/** The first rows of a table in place of all: its head is there in the time of a small table's. */
import { limits } from "#domain/limits";
import { type DuckDBConnection, quoted, rowsOf } from "./duckdb.ts";
import type { Selection, TableRows } from "./table-rows.ts";

/**
 * @returns how many rows the table has; undefined: nothing was created, as these are few or can't be counted, or a
 *   column has no value in the first ones
 * @throws DynamosError, and the engine's own errors
 */
export async function createHead(
  connection: DuckDBConnection,
  { count, create }: TableRows,
  selection: Selection,
): Promise<number | undefined> {
  const rows = await count?.(connection, selection);
  if (rows === undefined || rows <= limits.headRows) return undefined;
  await create(connection, { ...selection, rowsMax: limits.headRows });
  const table = quoted(selection.table);
  const [values = []] = await rowsOf(connection, `SELECT count(COLUMNS(*)) FROM ${table}`);
  if (values.every((count) => Number(count) > 0)) return rows;
  await connection.run(`DROP TABLE ${table}`);
  return undefined;
}
