/** An agreement's row filter: one boolean expression over one table's own columns. */
import { ErrorCode, type RowFilter } from "#contracts";
import { limits } from "#domain/limits";
import { broadlyFolded } from "#domain/permitted-columns";
import { DynamosError } from "#errors";
import { bracketsClosed } from "./cross-join.ts";
import { type DuckDBConnection, quoted } from "./duckdb.ts";
import { aboutSql } from "./engine-error.ts";
import { childExpressions, folded, isFilled, isTree, namesOf, type Tree, textOf } from "./lineage/tree.ts";
import { shorten } from "./shorten.ts";
import { aggregateFunctions } from "./sql-functions.ts";
import { checkExpressions } from "./sql-guard.ts";
import { parsedSql, sqlOfTree } from "./sql-tree.ts";

export interface RowFilterSql {
  /** What goes behind WHERE: the predicate as the engine has read it, in brackets where they matter. */
  readonly sql: string;
  /** The columns that it names, once each. */
  readonly columns: readonly string[];
}

export interface TableFilter {
  /** Empty where nothing is filtered. */
  readonly where: string;
  /** The columns that it names. */
  readonly columns: readonly string[];
}

/**
 * What a SELECT of one table's rows ends with, so that there are only those for which each filter is
 * true. A table's name counts in whatever case: it is better filtered once too often.
 *
 * @throws DynamosError DENIED for a filter that is none
 */
export async function filterOf(
  connection: DuckDBConnection,
  filters: readonly RowFilter[],
  table: string,
): Promise<TableFilter> {
  const own = filters.filter((filter) => broadlyFolded(filter.table) === broadlyFolded(table));
  const conditions: string[] = [];
  const columns = new Set<string>();
  for (const { predicate } of own) {
    const { sql, columns: named } = await rowFilterSql(connection, table, predicate).catch((error: unknown) => {
      const why = error instanceof DynamosError ? `: ${error.message}` : "";
      throw new DynamosError(ErrorCode.DENIED, `the agreement's row filter of ${table} can't be applied${why}`, {
        cause: error,
      });
    });
    conditions.push(`(${sql})`);
    for (const column of named) columns.add(column);
  }
  return { where: conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`, columns: [...columns] };
}

/** The parts of a SELECT that a predicate adds nothing to. */
const unset = ["modifiers", "group_expressions", "group_sets", "having", "qualify", "sample"] as const;

/** @throws DynamosError SQL_INVALID, SQL_REFUSED, with what is wrong in words for the steward */
export async function rowFilterSql(
  connection: DuckDBConnection,
  table: string,
  predicate: string,
): Promise<RowFilterSql> {
  if (predicate.length > limits.rowFilterCharsMax) {
    throw refused(`the predicate has more than ${limits.rowFilterCharsMax} characters`);
  }
  if (!bracketsClosed(predicate))
    throw refused("the predicate closes a bracket that it did not open, or leaves one open");
  // The line break ends a comment that the predicate may end with.
  const tree = await parsedSql(connection, `SELECT 1 FROM ${quoted(table)} WHERE (${predicate}\n)`);
  if (tree.error === true) {
    throw tree.error_type === "parser"
      ? new DynamosError(ErrorCode.SQL_INVALID, aboutSql(textOf(tree.error_message).split("\n")[0] ?? ""))
      : refused("the predicate must be one boolean expression");
  }
  const where = whereOf(tree, table);
  checkExpressions(where);
  const columns = new Set<string>();
  visit(where, table, columns);
  const sql = await sqlOfTree(connection, selectOf(tree));
  return { sql: sql.slice(sql.indexOf(" WHERE ") + " WHERE ".length), columns: [...columns] };
}

function selectOf(tree: Tree): Tree {
  const statements = Array.isArray(tree.statements) ? (tree.statements as Tree[]) : [];
  const node = statements.length === 1 ? statements[0]?.node : undefined;
  return isTree(node) ? node : {};
}

/** Of a tree that is exactly `SELECT 1 FROM table WHERE (…)`. */
function whereOf(tree: Tree, table: string): Tree {
  const node = selectOf(tree);
  const [one, second] = Array.isArray(node.select_list) ? (node.select_list as Tree[]) : [];
  const from = isTree(node.from_table) ? node.from_table : {};
  const hasCommonTables = isTree(node.cte_map) && isFilled(node.cte_map.map);
  const isAsWritten =
    node.type === "SELECT_NODE" &&
    one?.class === "CONSTANT" &&
    second === undefined &&
    from.type === "BASE_TABLE" &&
    from.table_name === table &&
    textOf(from.alias) === "" &&
    !isFilled(from.sample) &&
    !hasCommonTables &&
    unset.every((key) => !isFilled(node[key]));
  if (!isAsWritten || !isTree(node.where_clause)) throw refused("the predicate must be one boolean expression");
  return node.where_clause;
}

function visit(tree: Tree, table: string, columns: Set<string>): void {
  switch (tree.class) {
    case "SUBQUERY":
      throw refused("a predicate has no sub-query");
    case "WINDOW":
      throw refused("a predicate has no window function");
    case "STAR":
    case "POSITIONAL_REFERENCE":
      throw refused("a predicate names its columns");
    case "FUNCTION":
      if (aggregateFunctions.has(textOf(tree.function_name).toLowerCase())) {
        throw refused(`a predicate is about one row and has no aggregate like ${textOf(tree.function_name)}`);
      }
      break;
    case "COLUMN_REF": {
      const [first = "", second, third] = namesOf(tree.column_names);
      if (second === undefined) columns.add(first);
      else if (third === undefined && folded(first) === folded(table)) columns.add(second);
      else throw refused(`${shorten(namesOf(tree.column_names).join("."))} is no column of ${table}`);
      break;
    }
  }
  for (const child of childExpressions(tree)) visit(child, table, columns);
}

function refused(what: string): DynamosError {
  return new DynamosError(ErrorCode.SQL_REFUSED, what);
}
