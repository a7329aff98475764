/** The rows of a CSV or Parquet file. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { type DuckDBConnection, literal, quoted, rowsOf } from "./duckdb.ts";
import { parquetOf } from "./import-cache.ts";
import type { RowsWanted, TableRows } from "./table-rows.ts";

/** @throws DynamosError DATA_UNREADABLE, WORKER_OUT_OF_MEMORY */
export async function fileRows(
  engine: DuckDBConnection,
  { dataSet, table }: RowsWanted,
  folders: { readonly data: string; readonly cache: string },
): Promise<TableRows> {
  const parquet = `read_parquet(${literal(await parquetOf(dataSet, table, folders))})`;
  const described = await rowsOf(engine, `DESCRIBE SELECT * FROM ${parquet}`).catch((error: unknown) => {
    throw new DynamosError(ErrorCode.DATA_UNREADABLE, `${table.file} is not a Parquet file`, { cause: error });
  });
  return {
    types: new Map(described.map(([name, type]) => [String(name), String(type)])),
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
