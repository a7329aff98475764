/** Where a session's rows come from, whatever holds them. */
import type { DataSet, TableDescription, Terms } from "#contracts";
import type { DuckDBConnection } from "./duckdb.ts";

export interface RowsWanted {
  readonly dataSet: DataSet;
  readonly table: TableDescription;
  readonly terms: Pick<Terms, "columns"> & Partial<Pick<Terms, "deniedColumns">>;
  /** The columns that the agreement's row filter names, whether the user sees them or not. */
  readonly filtered: readonly string[];
}

export interface TableRows {
  /** The engine's type by column. */
  readonly types: ReadonlyMap<string, string>;
  /** Creates the session's table of what is selected. @throws DynamosError, and the engine's own errors */
  create(engine: DuckDBConnection, selection: Selection): Promise<void>;
  /** How many rows are selected; absent where that takes as long as to read them. @throws the engine's own errors */
  count?(engine: DuckDBConnection, selection: Selection): Promise<number>;
}

export interface Selection {
  /** The name of the session's table. */
  readonly table: string;
  /** SQL expressions over the columns, each with its name. */
  readonly columns: readonly string[];
  /** Empty, or from ` WHERE` on. */
  readonly where: string;
  /** The first of them alone. Only where there is a `count`. */
  readonly rowsMax?: number;
}
