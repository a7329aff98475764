/**
 * How a query names columns, by the engine's parse tree. The engine does not tell from which
 * column a column of its result comes; so it is said of none of which it is not certain.
 */

/** Names in lower case. */
export interface ColumnUses {
  /** How often the query names a column, wherever. */
  named(column: string): number;
  /** Whether a column of the result with this name is the source column of that name, as it is. */
  isAsItWas(column: string): boolean;
  /** Whether columns come out that the query does not name, by `*`, `#1` or `AS t(a, b)`. */
  readonly takesUnnamed: boolean;
  /** Whether those may come out under another name. */
  readonly renamesUnnamed: boolean;
}

type Tree = { readonly [key: string]: unknown };

/** @param tree of `json_serialize_sql` */
export function columnUses(tree: unknown): ColumnUses {
  const found = { counts: new Map<string, number>(), given: new Set<string>(), byPlace: false, unnamed: false };
  visit(tree, found);
  return {
    named: (column) => found.counts.get(column) ?? 0,
    isAsItWas: (column) => !found.byPlace && !found.given.has(column),
    takesUnnamed: found.unnamed,
    renamesUnnamed: found.unnamed && found.byPlace,
  };
}

interface Found {
  readonly counts: Map<string, number>;
  /** Names given to something else than the column of that name. */
  readonly given: Set<string>;
  /** Whether names are given by place: to the columns of a table or a common table expression, by a UNION, by `#1`. */
  byPlace: boolean;
  unnamed: boolean;
}

function visit(value: unknown, found: Found): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, found);
  } else if (typeof value === "object" && value !== null) {
    const tree = value as Tree;
    if (typeof tree.class === "string") expression(tree, found);
    else if (tree.type === "SET_OPERATION_NODE" || isFilled(tree.column_name_alias) || isFilled(tree.aliases))
      found.byPlace = true;
    // `FROM Personen AS p(a, b)` gives a table's own columns other names.
    if (tree.type === "BASE_TABLE" && isFilled(tree.column_name_alias)) found.unnamed = true;
    for (const column of (tree.using_columns ?? []) as string[]) count(column, found);
    for (const child of Object.values(tree)) visit(child, found);
  }
}

function expression(tree: Tree, found: Found): void {
  const alias = String(tree.alias ?? "").toLowerCase();
  const column = ((tree.column_names ?? []) as string[]).at(-1)?.toLowerCase();
  if (column !== undefined) count(column, found);
  if (alias !== "" && alias !== column) found.given.add(alias);
  if (tree.class === "POSITIONAL_REFERENCE" || tree.class === "STAR") found.unnamed = true;
  if (tree.class === "POSITIONAL_REFERENCE" || isFilled(tree.rename_list)) found.byPlace = true;
  for (const { key } of (tree.replace_list ?? []) as { key: string }[]) found.given.add(key.toLowerCase());
}

function count(column: string, { counts }: Found): void {
  const name = column.toLowerCase();
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function isFilled(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0;
}
