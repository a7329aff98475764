/**
 * One query over one party's data: a fresh in-memory database into which only the permitted
 * tables and columns are loaded, and which is then locked. The SQL needs no trust: what it
 * may not see is not there.
 */
import { type DataSet, ErrorCode, type Table, type TableDescription, type Terms } from "#contracts";
import { limits } from "#domain/limits";
import { isTablePermitted, permittedColumns } from "#domain/permitted-columns";
import { DynamosError } from "#errors";
import { isAllRows } from "./all-rows.ts";
import { columnNotes, protectedRemarks } from "./column-notes.ts";
import { columnsNamed, type NamedColumns } from "./columns-named.ts";
import { type DuckDBConnection, type Engine, openEngine, outOfMemory, quoted } from "./duckdb.ts";
import { engineError } from "./engine-error.ts";
import type { FollowingAlgorithm } from "./group-size/following-algorithm.ts";
import { releasedQuery } from "./group-size/released-query.ts";
import { type QueryLineage, queryLineage } from "./lineage/query-lineage.ts";
import { createHead } from "./load-head.ts";
import { openRows, type Rows } from "./open-rows.ts";
import { protectedColumn } from "./protect-column.ts";
import { resultTable } from "./result-table.ts";
import { filterOf } from "./row-filter.ts";
import { guardSql } from "./sql-guard.ts";
import type { TableNotes } from "./table-notes.ts";
import type { Emit } from "./table-sink.ts";

export type SessionTerms = Pick<Terms, "dataSets" | "columns"> &
  Partial<Pick<Terms, "deniedColumns" | "rowFilters" | "aggregatesOnly" | "minimumGroupSize" | "maximumRows">>;

export interface SessionOptions {
  readonly sql: string;
  readonly terms: SessionTerms;
  /** The party's own. */
  readonly dataSets: readonly DataSet[];
  readonly folders: { readonly data: string; readonly cache: string };
  /** Whether the rows will be anonymised: then the session holds no more than what may remain. */
  readonly anonymize: boolean;
  readonly memoryMb: number;
  /** Opened ahead, with as much memory, and used by nobody else. Absent: one is opened. */
  readonly engine?: Engine;
  /** Milliseconds from now after which the query is interrupted. */
  readonly leftMs: number;
  /** Gets the rows while they come, when they are too many to be returned. */
  readonly emit: Emit;
  /** What the rows take along. */
  readonly notes: TableNotes;
  /** Of a table that is longer than its head, only that. */
  readonly headAlone?: boolean;
  /** What follows in the chain; absent: nothing that aggregates. */
  readonly algorithm?: FollowingAlgorithm;
}

interface Source {
  readonly dataSet: DataSet;
  readonly table: TableDescription;
}

/** @throws DynamosError of the SQL_, UNKNOWN_ and DATA_ codes, RESULT_TOO_LARGE, DEADLINE_EXCEEDED, WORKER_OUT_OF_MEMORY */
export async function runQuery(options: SessionOptions): Promise<Table> {
  const { sql, terms, dataSets, memoryMb } = options;
  const sources = permittedSources(dataSets, terms);
  const engine = options.engine ?? (await openEngine({ memoryMb, threads: 1 }));
  const rows = openRows(engine.connection, options.folders, options.leftMs);
  const interruption = interruptAfter(options.leftMs, () => {
    engine.connection.interrupt();
    rows.abort();
  });
  const columns = new Map<string, string[]>();
  let headOf: number | undefined;
  try {
    const guarded = await guardSql(engine.connection, sql, [...sources.keys()]);
    const named = columnsNamed(guarded.statement);
    const isFirstRows = options.headAlone === true && isAllRows(guarded.statement);
    for (const name of guarded.tables) {
      const source = sources.get(name);
      if (source === undefined) continue;
      const loaded = await load(engine.connection, { ...source, rows, named, isFirstRows }, options);
      columns.set(name, loaded.kept);
      headOf = loaded.headOf;
    }
    rows.close();
    await lock(engine.connection);
    const tables = guarded.tables.flatMap((name) => sources.get(name)?.table ?? []);
    const loaded = [...columns].map(([table, names]) => ({ table, columns: names }));
    const lineage = queryLineage(guarded.statement, loaded);
    const { notes, algorithm } = options;
    const question = { ...guarded, lineage, loaded, terms, algorithm, measure: notes.measure };
    const released = await releasedQuery(engine.connection, question);
    const remarks = [...released.remarks, ...(options.anonymize ? protectedRemarks(tables, lineage) : [])];
    return await resultTable(engine.connection, {
      sql: released.sql,
      columns: columnNotes(tables, lineage),
      notes: remarks.length === 0 ? notes : { ...notes, remarks },
      emit: options.emit,
      rowsMax: terms.maximumRows,
      headAlone: options.headAlone ?? false,
      isProtected: options.anonymize,
      isOfRows: isOfRows(lineage),
      headOf,
      isLate: interruption.happened,
    });
  } catch (error) {
    throw interruption.happened() ? late() : engineError(error, columns);
  } finally {
    interruption.stop();
    rows.close();
    // One that was opened ahead ends with the process, which serves this query alone: its catalogue's thousand
    // functions are not taken apart one by one for that.
    if (options.engine === undefined) engine.close();
  }
}

/** The engine computes nothing that it only counts: of an expression, it would not see that a later row fails. */
function isOfRows({ rows, columns, isCertain }: QueryLineage): boolean {
  return rows === "row" && isCertain && columns.every(({ lineage }) => lineage.source !== undefined);
}

/** By table name. Two data sets with a table of one name can't be told apart in SQL. */
function permittedSources(dataSets: readonly DataSet[], terms: SessionOptions["terms"]): Map<string, Source> {
  const sources = new Map<string, Source>();
  for (const dataSet of dataSets.filter(({ name }) => terms.dataSets.includes(name))) {
    for (const table of dataSet.tables) {
      if (!isTablePermitted(terms, table.name)) continue;
      if (sources.has(table.name)) {
        throw new DynamosError(
          ErrorCode.INVALID_REQUEST,
          `two data sets have a table ${table.name}: name the one that is meant in dataSets`,
        );
      }
      sources.set(table.name, { dataSet, table });
    }
  }
  return sources;
}

interface Wanted extends Source {
  readonly rows: Rows;
  readonly named: NamedColumns;
  /** Whether the first of its rows are enough. */
  readonly isFirstRows: boolean;
}

/**
 * @returns the columns that are permitted, of which those that the query names are there now, and how many rows there
 *   are where only the first of them are there
 */
async function load(
  connection: DuckDBConnection,
  { dataSet, table, rows, named, isFirstRows }: Wanted,
  { terms, anonymize }: SessionOptions,
): Promise<{ readonly kept: string[]; readonly headOf: number | undefined }> {
  const { where, columns: filtered } = await filterOf(connection, terms.rowFilters ?? [], table.name);
  const source = await rows.of({ dataSet, table, terms, filtered });
  const { types } = source;
  const kept = permittedColumns(terms, table.name, [...types.keys()]);
  if (kept.length === 0) {
    throw new DynamosError(ErrorCode.UNKNOWN_TABLE, `no column of the table ${table.name} is allowed`);
  }
  const rules = new Map(table.columns.map((column) => [column.name.toLowerCase(), column.anonymize]));
  const columns = named
    .of(kept)
    .map((name) =>
      anonymize ? protectedColumn(name, types.get(name) ?? "", rules.get(name.toLowerCase()) ?? "") : quoted(name),
    );
  const selection = { table: table.name, columns, where };
  try {
    const headOf = isFirstRows ? await createHead(connection, source, selection) : undefined;
    if (headOf === undefined) await source.create(connection, selection);
    return { kept, headOf };
  } catch (error) {
    throw where === "" || error instanceof DynamosError ? error : notFiltered(table.name, error);
  }
}

/** A row that a filter can't judge might be one that it was to keep back. */
function notFiltered(table: string, cause: unknown): DynamosError {
  const memory = outOfMemory(cause);
  const message = `the agreement's row filter of ${table} can't be applied to its data`;
  return memory ?? new DynamosError(ErrorCode.DENIED, message, { cause });
}

/** From here on nothing outside is reachable, and no setting can be changed back. */
async function lock(connection: DuckDBConnection): Promise<void> {
  await connection.run("SET enable_external_access = false; SET lock_configuration = true");
}

function interruptAfter(leftMs: number, interrupt: () => void) {
  let happened = false;
  const timer = setTimeout(
    () => {
      happened = true;
      interrupt();
    },
    // A timer of more than 2^31 ms would fire at once.
    Math.min(Math.max(0, leftMs), limits.invocationMsMax),
  );
  return { happened: () => happened, stop: () => clearTimeout(timer) };
}

function late(): DynamosError {
  return new DynamosError(ErrorCode.DEADLINE_EXCEEDED, "the query took longer than there was time");
}
