/** Whether a query asks for the rows of one table as they are, whose first rows are then the table's. */
import { isTree, type Tree, treesOf } from "./lineage/tree.ts";

/** What a node and its table may have; anything else must be empty. */
const ofQuery: ReadonlySet<string> = new Set(["type", "select_list", "from_table", "aggregate_handling"]);
const ofTable: ReadonlySet<string> = new Set(["type", "alias", "query_location", "schema_name", "table_name"]);
const ofColumn: ReadonlySet<string> = new Set([
  "class",
  "type",
  "alias",
  "query_location",
  "column_names",
  "relation_name",
  "exclude_list",
]);

/** @param statement one of `json_serialize_sql` */
export function isAllRows({ node }: Tree): boolean {
  if (!isTree(node) || node.type !== "SELECT_NODE" || node.aggregate_handling !== "STANDARD_HANDLING") return false;
  const { from_table: table, select_list: columns } = node;
  const isColumn = (column: Tree) =>
    (column.class === "COLUMN_REF" || column.class === "STAR") && hasOnly(column, ofColumn);
  return (
    hasOnly(node, ofQuery) &&
    isTree(table) &&
    table.type === "BASE_TABLE" &&
    hasOnly(table, ofTable) &&
    treesOf(columns).every(isColumn)
  );
}

function hasOnly(tree: Tree, known: ReadonlySet<string>): boolean {
  return Object.entries(tree).every(([key, value]) => known.has(key) || isEmpty(value));
}

function isEmpty(value: unknown): boolean {
  if (isTree(value)) return Object.values(value).every(isEmpty);
  return value === null || value === undefined || value === "" || value === false || isEmptyList(value);
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
