/** Whether a query asks for the rows of one table as they are, whose first rows are then the table's. */
import { isTree, type Tree, treesOf } from "./lineage/tree.ts";
import { essence } from "./sql-tree.ts";

/** What may be set of a node, its table and its columns; with anything else it is another query. */
const ofQuery: ReadonlySet<string> = new Set(["type", "select_list", "from_table", "aggregate_handling"]);
const ofTable: ReadonlySet<string> = new Set(["type", "alias", "schema_name", "table_name"]);
const ofColumn: ReadonlySet<string> = new Set([
  "class",
  "type",
  "alias",
  "column_names",
  "relation_name",
  "exclude_list",
]);

/** @param statement one of `json_serialize_sql` */
export function isAllRows(statement: Tree): boolean {
  const node = essence(statement.node);
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
  return Object.keys(tree).every((key) => known.has(key));
}
