/**
 * What a query may be, by the engine's own parse tree (`json_serialize_sql`): one SELECT over
 * the tables that there are, with functions of the list. Whatever is not known is refused.
 *
 * This is the first of two layers. The second is the session, which holds only what is
 * permitted, so that nothing here needs to know about columns.
 */
import { ErrorCode } from "#contracts";
import { nearestHint } from "#domain/nearest-name";
import { DynamosError } from "#errors";
import { withCrossJoins } from "./cross-join.ts";
import type { DuckDBConnection } from "./duckdb.ts";
import { aboutSql } from "./engine-error.ts";
import { childExpressions, type Tree } from "./lineage/tree.ts";
import { shorten } from "./shorten.ts";
import { allowedFunctions } from "./sql-functions.ts";
import { parsedSql } from "./sql-tree.ts";

export interface GuardedSql {
  /** What is to be run: the user's text, with `CROSS JOIN` where the parser wanted it. */
  readonly sql: string;
  /** The tables that it names, in the spelling of `tables`. */
  readonly tables: readonly string[];
  /** The engine's parse tree of it. */
  readonly statement: Tree;
}

const expressionClasses: ReadonlySet<string> = new Set([
  "COLUMN_REF",
  "CONSTANT",
  "FUNCTION",
  "COMPARISON",
  "CONJUNCTION",
  "CAST",
  "CASE",
  "BETWEEN",
  "OPERATOR",
  "SUBQUERY",
  "STAR",
  "WINDOW",
  "COLLATE",
  "POSITIONAL_REFERENCE",
]);
const queryNodes: ReadonlySet<string> = new Set(["SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE"]);
const tableReferences: ReadonlySet<string> = new Set(["BASE_TABLE", "JOIN", "SUBQUERY", "EMPTY", "EXPRESSION_LIST"]);
const modifiers: ReadonlySet<string> = new Set(["ORDER_MODIFIER", "LIMIT_MODIFIER", "DISTINCT_MODIFIER"]);
const orders: ReadonlySet<string> = new Set(["ORDER_DEFAULT", "ASCENDING", "DESCENDING"]);
/** The parser itself puts the built-in TRIM and EXTRACT into a schema. Nobody can make functions here. */
const parserSchemas: ReadonlySet<string> = new Set(["", "main", "pg_catalog", "system"]);
/** Names that the engine calls as functions where no column has them; the list of functions holds none of them. */
const engineNames: ReadonlySet<string> = new Set([
  "user",
  "current_user",
  "session_user",
  "current_role",
  "current_catalog",
  "current_schema",
  "current_database",
]);
const clockNames: ReadonlySet<string> = new Set([
  "current_date",
  "current_time",
  "current_timestamp",
  "localtime",
  "localtimestamp",
]);
/** The same with brackets; these are worth the same sentence. */
const clockFunctions: ReadonlySet<string> = new Set([
  ...clockNames,
  "now",
  "today",
  "get_current_time",
  "get_current_timestamp",
  "transaction_timestamp",
]);

/**
 * @param tables those that there are for this user
 * @throws DynamosError SQL_INVALID, SQL_REFUSED, UNKNOWN_TABLE
 */
export async function guardSql(
  connection: DuckDBConnection,
  sql: string,
  tables: readonly string[],
): Promise<GuardedSql> {
  const { text, tree } = await parse(connection, sql);
  const statements = tree.statements as Tree[];
  const [statement] = statements;
  if (statement === undefined) {
    throw new DynamosError(ErrorCode.SQL_INVALID, "there is no statement in the SQL");
  }
  if (statements.length !== 1) {
    throw refused(`${statements.length} statements, exactly one SELECT is allowed`);
  }
  const walk = new Walk(tables);
  walk.visit(statement);
  return { sql: text, tables: [...walk.used].sort(), statement };
}

async function parse(connection: DuckDBConnection, sql: string): Promise<{ text: string; tree: Tree }> {
  const tree = await parsedSql(connection, sql);
  if (tree.error !== true) return { text: sql, tree };
  // The original's SQLite takes JOIN without ON for a cross join; only what does not parse is read anew.
  const rewritten = withCrossJoins(sql);
  const again = rewritten === sql ? tree : await parsedSql(connection, rewritten);
  if (again.error !== true) return { text: rewritten, tree: again };
  throw tree.error_type === "parser"
    ? new DynamosError(ErrorCode.SQL_INVALID, aboutSql(String(tree.error_message).split("\n")[0] ?? ""))
    : refused("only SELECT is allowed");
}

/** What a query's expressions may not have, an expression that stands alone may not have either. @throws DynamosError SQL_REFUSED */
export function checkExpressions(tree: Tree): void {
  new Walk([]).visit(tree);
}

class Walk {
  readonly used = new Set<string>();
  private readonly tables: readonly string[];
  /** Names that WITH gives, of any depth: one used out of its scope is one that the engine does not find. */
  private readonly named = new Set<string>();

  constructor(tables: readonly string[]) {
    this.tables = tables;
  }

  visit(value: unknown): void {
    if (Array.isArray(value)) {
      for (const item of value) this.visit(item);
    } else if (typeof value === "object" && value !== null) {
      this.object(value as Tree);
    }
  }

  private object(tree: Tree): void {
    if (typeof tree.class === "string") this.expression(tree, tree.class);
    else if ("cte_map" in tree) this.query(tree);
    else if (typeof tree.type === "string") this.typed(tree, tree.type);
    else this.children(tree);
  }

  private expression(tree: Tree, kind: string): void {
    if (!expressionClasses.has(kind)) throw refused(`${readable(kind)} is not allowed`);
    if (kind === "CONSTANT") return;
    if (kind === "COLUMN_REF") columnAllowed(tree.column_names as readonly string[]);
    if (kind === "STAR" && (tree.columns === true || tree.expr !== null)) throw refused("COLUMNS is not allowed");
    if (kind === "FUNCTION" || kind === "WINDOW") this.called(tree);
    // `* LIKE 'x%'` is a choice of columns by a pattern.
    if (childExpressions(tree).some((child) => child.class === "STAR"))
      throw refused("* in an expression is not allowed");
    this.children(tree);
  }

  private called({ function_name: name, schema, catalog, children }: Tree): void {
    const known = String(name ?? "").toLowerCase();
    if (clockFunctions.has(known)) throw clockRefused(known);
    // With one argument it counts from today.
    if (known === "age" && (children as Tree[]).length < 2) throw clockRefused("age of one date");
    if (known !== "" && !allowedFunctions.has(known)) throw refused(`the function ${shorten(known)} is not allowed`);
    if (!parserSchemas.has(String(schema ?? "")) || !parserSchemas.has(String(catalog ?? ""))) {
      throw refused("a function with a schema is not allowed");
    }
  }

  private query(tree: Tree): void {
    if (!queryNodes.has(String(tree.type))) throw refused(`${readable(String(tree.type))} is not allowed`);
    if (tree.sample !== null && tree.sample !== undefined) throw refused("SAMPLE is not allowed");
    for (const { key } of ((tree.cte_map as Tree).map ?? []) as { key: string }[]) this.named.add(key.toLowerCase());
    this.children(tree);
  }

  private typed(tree: Tree, type: string): void {
    const isTable = "sample" in tree && "alias" in tree;
    if (isTable && !tableReferences.has(type)) throw refused(`${readable(type)} is not allowed in FROM`);
    if (!isTable && !modifiers.has(type) && !orders.has(type)) throw refused(`${readable(type)} is not allowed`);
    if (isTable && tree.sample !== null) throw refused("SAMPLE is not allowed");
    if (type === "BASE_TABLE") this.table(tree);
    // `ORDER BY ALL` is a star of this kind too, and names no column.
    if (orders.has(type) && isOrderByAll(tree.expression as Tree)) return;
    this.children(tree);
  }

  private table({ table_name: name, schema_name: schema, catalog_name: catalog, at_clause: at }: Tree): void {
    if (schema !== "" || catalog !== "") throw refused("a table with a schema is not allowed");
    if (at !== null && at !== undefined) throw refused("AT is not allowed");
    const wanted = String(name);
    const found = this.tables.find((table) => table.toLowerCase() === wanted.toLowerCase());
    if (found !== undefined) this.used.add(found);
    else if (!this.named.has(wanted.toLowerCase())) throw unknownTable(wanted, this.tables);
  }

  private children(tree: Tree): void {
    for (const [key, child] of Object.entries(tree)) {
      // A type to cast to has no names but the engine's own.
      if (key !== "cast_type") this.visit(child);
    }
  }
}

/** A column of such a name is meant where its table stands before it: there the engine calls nothing. */
function columnAllowed(names: readonly string[]): void {
  const [only = "", ...more] = names;
  const name = only.toLowerCase();
  if (more.length > 0) return;
  if (engineNames.has(name)) {
    throw refused(
      `${name} is not allowed: it tells about the engine. A column of that name is written with its table, as t.${name}`,
    );
  }
  if (clockNames.has(name)) throw clockRefused(name);
}

/** A hop may be tried again, and whoever asks twice compares. */
function clockRefused(name: string): DynamosError {
  return refused(
    `${name} is not allowed, so that a query gives the same rows whenever it runs: write the date, as DATE '2025-01-31'`,
  );
}

function isOrderByAll(expression: Tree): boolean {
  return expression.class === "STAR" && expression.columns === true && expression.expr === null;
}

function unknownTable(name: string, tables: readonly string[]): DynamosError {
  const there = tables.length === 0 ? "there are none" : `there are ${[...tables].sort().join(", ")}`;
  const hint = nearestHint(name, tables, there);
  return new DynamosError(ErrorCode.UNKNOWN_TABLE, `there is no table ${shorten(name)}: ${hint}`);
}

function refused(what: string): DynamosError {
  return new DynamosError(ErrorCode.SQL_REFUSED, what);
}

function readable(type: string): string {
  return type.toLowerCase().replaceAll("_", " ");
}
