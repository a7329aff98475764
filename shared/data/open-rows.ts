/** The rows of a query's tables, from wherever their data sets are. */
import type { DuckDBConnection } from "./duckdb.ts";
import { fileRows } from "./file-rows.ts";
import type { PostgresRows } from "./postgres/postgres-rows.ts";
import type { RowsWanted, TableRows } from "./table-rows.ts";

export interface Rows {
  /** @throws DynamosError DATA_UNREADABLE, DATA_UNAVAILABLE, WORKER_OUT_OF_MEMORY */
  of(wanted: RowsWanted): Promise<TableRows>;
  /** Ends at once what is being read. */
  abort(): void;
  close(): void;
}

/** @param leftMs from now on */
export function openRows(
  engine: DuckDBConnection,
  folders: { readonly data: string; readonly cache: string },
  leftMs: number,
): Rows {
  const endMs = performance.now() + leftMs;
  let postgres: PostgresRows | undefined;
  let isAborted = false;

  /** Loaded when it is first needed. */
  async function postgresRows(): Promise<PostgresRows> {
    const { openPostgresRows } = await import("./postgres/postgres-rows.ts");
    postgres ??= openPostgresRows(folders.data, () => endMs - performance.now());
    if (isAborted) postgres.abort();
    return postgres;
  }

  return {
    of: async (wanted) =>
      wanted.dataSet.type === "postgres" ? (await postgresRows()).of(wanted) : fileRows(engine, wanted, folders),
    abort: () => {
      isAborted = true;
      postgres?.abort();
    },
    close: () => postgres?.close(),
  };
}
