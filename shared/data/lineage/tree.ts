/** The engine's parse tree of `json_serialize_sql`, as far as one must know it to walk over it. */
export type Tree = { readonly [key: string]: unknown };

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function treesOf(value: unknown): readonly Tree[] {
  return Array.isArray(value) ? value.filter(isTree) : [];
}

export function namesOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function isFilled(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== null && value !== undefined && value !== "";
}

/** As the engine compares names: ASCII letters alone have no case. */
export function folded(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** The expressions directly below one, in the order of its fields; a sub-query's own are not among them. */
export function childExpressions(tree: Tree): Tree[] {
  const found: Tree[] = [];
  for (const [key, value] of Object.entries(tree)) {
    // A type and a constant hold no expressions.
    if (key !== "cast_type" && key !== "value" && key !== "subquery") collect(value, found);
  }
  return found;
}

function collect(value: unknown, found: Tree[]): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, found);
  } else if (isTree(value)) {
    if (typeof value.class === "string") found.push(value);
    else for (const inner of Object.values(value)) collect(inner, found);
  }
}

/** The query of a sub-query, a table in brackets or a common table expression. */
export function queryOf(holder: unknown): Tree | undefined {
  const query = isTree(holder) ? (holder.subquery ?? holder.query) : undefined;
  return isTree(query) && isTree(query.node) ? query.node : undefined;
}

/** Names and definitions of WITH, in their order. */
export function commonTables(node: Tree): { name: string; aliases: readonly string[]; node: Tree | undefined }[] {
  const map = isTree(node.cte_map) ? treesOf(node.cte_map.map) : [];
  return map.map(({ key, value }) => ({
    name: textOf(key),
    aliases: isTree(value) ? namesOf(value.aliases) : [],
    node: queryOf(value),
  }));
}
