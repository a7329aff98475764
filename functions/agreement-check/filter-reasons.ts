/** What is wrong with the row filters of an agreement. */
import { type Agreement, type DataSet, ErrorCode, type Reason } from "#contracts";
import type { DuckDBConnection } from "#data/duckdb";
import { rowFilterSql } from "#data/row-filter";
import { compareNames, listed } from "#domain/by-name";
import { nearestHint } from "#domain/nearest-name";
import { pathMember } from "#domain/path-member";
import { broadlyFolded } from "#domain/permitted-columns";
import { DynamosError } from "#errors";

/**
 * In the order of users and tables.
 *
 * @param dataSets of the agreement's party: a filter's columns are among those of its table, as far as the table
 *   is described
 */
export async function filterReasons(
  connection: DuckDBConnection,
  { relations }: Agreement,
  dataSets: readonly DataSet[],
): Promise<Reason[]> {
  const reasons: Reason[] = [];
  const filters = Object.entries(relations).flatMap(([user, relation]) =>
    relation.rowFilters.map((filter) => ({ user, ...filter })),
  );
  filters.sort((a, b) => compareNames(a.user, b.user) || compareNames(a.table, b.table));
  for (const { user, table, predicate } of filters) {
    const clause = `relations[${JSON.stringify(user)}].rowFilters${pathMember(table)}`;
    const wrong = await problemOf(connection, { table, predicate }, dataSets);
    if (wrong !== undefined) reasons.push({ ...wrong, clause });
  }
  return reasons;
}

async function problemOf(
  connection: DuckDBConnection,
  { table, predicate }: { readonly table: string; readonly predicate: string },
  dataSets: readonly DataSet[],
): Promise<Omit<Reason, "clause"> | undefined> {
  const found = await rowFilterSql(connection, table, predicate).catch((error: unknown) => {
    if (error instanceof DynamosError) return error;
    throw error;
  });
  if (found instanceof DynamosError) return { code: found.code, message: found.message };
  for (const columns of describedColumns(dataSets, table)) {
    const unknown = found.columns.find((name) => !columns.some((column) => sameName(column, name)));
    if (unknown !== undefined) return { code: ErrorCode.UNKNOWN_COLUMN, message: noColumn(unknown, table, columns) };
  }
  return undefined;
}

/** Of each description of the table that names columns at all. */
function describedColumns(dataSets: readonly DataSet[], table: string): string[][] {
  return dataSets
    .flatMap(({ tables }) => tables)
    .filter(({ name, columns }) => columns.length > 0 && broadlyFolded(name) === broadlyFolded(table))
    .map(({ columns }) => columns.map(({ name }) => name));
}

function noColumn(name: string, table: string, columns: readonly string[]): string {
  const hint = nearestHint(name, columns, `described are ${listed([...columns].sort(compareNames))}`);
  return `${table} has no column ${name} in its description: ${hint}`;
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
