/** What a Parquet file's columns are. */
import { type DuckDBConnection, literal, rowsOf } from "./duckdb.ts";

/** The engine's type by column, in the file's order. */
export type ColumnTypes = ReadonlyMap<string, string>;

/** @throws the engine's own errors */
export async function parquetColumns(connection: DuckDBConnection, path: string): Promise<ColumnTypes> {
  const described = await rowsOf(connection, `DESCRIBE SELECT * FROM ${parquetRows(path)}`);
  return new Map(described.map(([name, type]) => [String(name), String(type)]));
}

/** For FROM. */
export function parquetRows(path: string): string {
  return `read_parquet(${literal(path)})`;
}
