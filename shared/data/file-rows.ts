/** The rows of a CSV or Parquet file. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { type DuckDBConnection, quoted, rowsOf } from "./duckdb.ts";
import { parquetOf } from "./import-cache.ts";
import { parquetColumns, parquetRows } from "./parquet-columns.ts";
import type { RowsWanted, TableRows } from "./table-rows.ts";

/** @throws DynamosError DATA_UNREADABLE, WORKER_OUT_OF_MEMORY */
export async function fileRows(
  engine: DuckDBConnection,
  { dataSet, table }: RowsWanted,
  folders: { readonly data: string; readonly cache: string },
): Promise<TableRows> {
  const { path, types: known } = await parquetOf(dataSet, table, folders);
  const types =
    known ??
    (await parquetColumns(engine, path).catch((error: unknown) => {
      throw new DynamosError(ErrorCode.DATA_UNREADABLE, `${table.file} is not a Parquet file`, { cause: error });
    }));
  const parquet = parquetRows(path);
  return {
    types,
    create: async (connection, { table: name, columns, where, rowsMax }) => {
      const rows = `${parquet} AS ${quoted(name)}${where}${rowsMax === undefined ? "" : ` LIMIT ${rowsMax}`}`;
      await connection.run(`CREATE TABLE ${quoted(name)} AS SELECT ${columns.join(", ")} FROM ${rows}`);
    },
    count: async (connection, { table: name, where }) => {
      const [row] = await rowsOf(connection, `SELECT count(*) FROM ${parquet} AS ${quoted(name)}${where}`);
      return Number(row?.[0]);
    },
  };
}
