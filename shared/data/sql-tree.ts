/** SQL as the engine's parse tree and back, no digit of a number lost on the way. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { type DuckDBConnection, literal, rowsOf } from "./duckdb.ts";
import { isTree, queryOf, type Tree } from "./lineage/tree.ts";

const numberOrText = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;
const exactText = /"\\u0001exact:([^"\\]*)"/g;

/** @returns what `json_serialize_sql` says, also where it says that this is no SELECT */
export async function parsedSql(connection: DuckDBConnection, sql: string): Promise<Tree> {
  if (sql.includes("\u0000") || sql.includes("\u0001")) {
    throw new DynamosError(ErrorCode.SQL_INVALID, "a control character in the SQL");
  }
  const [row] = await rowsOf(connection, `SELECT json_serialize_sql(${literal(sql)})`);
  return JSON.parse(exactly(String(row?.[0]))) as Tree;
}

function exactly(json: string): string {
  return json.replaceAll(numberOrText, (token) =>
    token.startsWith('"') || token.length < 16 ? token : `"\\u0001exact:${token}"`,
  );
}

/**
 * The SQL of a changed tree, which the engine reads as that tree and no other.
 *
 * @throws DynamosError SQL_REFUSED where it would not
 */
export async function sqlOfTree(connection: DuckDBConnection, node: Tree): Promise<string> {
  const tree = { error: false, statements: [{ node, named_param_map: [] }] };
  const json = JSON.stringify(tree).replaceAll(exactText, "$1");
  const [row] = await rowsOf(connection, `SELECT json_deserialize_sql(${literal(json)})`).catch(() => []);
  const sql = String(row?.[0] ?? "");
  const again = await parsedSql(connection, sql);
  if (JSON.stringify(essence(again)) !== JSON.stringify(essence(tree))) {
    throw new DynamosError(
      ErrorCode.SQL_REFUSED,
      "the query can't be taken apart for the terms that it is under: write it more simply",
    );
  }
  return sql;
}

/** Without places in the text and what is not set, a node's fields in one order, brackets that mean nothing left out. */
export function essence(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(essence);
  if (!isTree(value)) return value;
  const kept = Object.entries(value)
    .filter(([key]) => !unimportant.has(key))
    .map(([key, inner]) => [key, essence(inner)] as const)
    .filter(([, inner]) => !isUnset(inner));
  return withoutBrackets(Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1))));
}

const unimportant: ReadonlySet<string> = new Set(["query_location", "is_operator", "materialized"]);

/** `a AND (b AND c)`, and VALUES, which the engine writes with a SELECT around them. */
function withoutBrackets(tree: Tree): Tree {
  if (tree.class === "CONJUNCTION" && Array.isArray(tree.children)) {
    const children = (tree.children as Tree[]).flatMap((child) =>
      child.type === tree.type ? (child.children as Tree[]) : [child],
    );
    return { ...tree, children };
  }
  const node = tree.type === "SUBQUERY" && tree.class === undefined ? queryOf(tree) : undefined;
  const from = node?.from_table;
  const isValues = isTree(from) && from.type === "EXPRESSION_LIST";
  const isNothingElse = JSON.stringify(node?.select_list) === plainStar && Object.keys(node ?? {}).length === 4;
  return isValues && isNothingElse && tree.column_name_alias === undefined ? { ...from, alias: tree.alias } : tree;
}

const plainStar = JSON.stringify([{ class: "STAR", type: "STAR" }]);

function isUnset(value: unknown): boolean {
  return (
    value === null ||
    value === undefined ||
    value === "" ||
    value === false ||
    (typeof value === "object" && Object.keys(value as object).length === 0)
  );
}
