/** The tables of a FROM, with their columns. */
import { type Context, dependsOnAll, emptyFrom, type From, type ScopeWithTables, unknownRelation } from "./context.ts";
import { expressionLineage } from "./expression.ts";
import { combined, constant, type Lineage, type SourceColumn, union, worst } from "./lineage.ts";
import type { OutputColumn, Relation } from "./scope.ts";
import { folded, isFilled, isTree, namesOf, queryOf, type Tree, textOf } from "./tree.ts";

/**
 * @param scope of the query that the FROM belongs to, with what stands further left: a sub-query may name it
 */
export function fromOf(value: unknown, scope: ScopeWithTables, context: Context): From {
  if (!isTree(value)) return emptyFrom;
  switch (value.type) {
    case "EMPTY":
      return emptyFrom;
    case "BASE_TABLE":
      return only(baseTable(value, scope, context));
    case "SUBQUERY":
      return only(derivedTable(value, scope, context));
    case "EXPRESSION_LIST":
      return only(valuesTable(value, scope, context));
    case "JOIN":
      return joined(value, scope, context);
    default:
      return only(unknownRelation(textOf(value.alias), context));
  }
}

function only(relation: Relation): From {
  return { relations: [relation], dependsOn: relation.rowsDependOn, rows: relation.rows };
}

function baseTable(tree: Tree, scope: ScopeWithTables, context: Context): Relation {
  const name = textOf(tree.table_name);
  const alias = textOf(tree.alias) || name;
  const found = scope.common.get(folded(name)) ?? context.tables.get(folded(name));
  return found === undefined ? unknownRelation(alias, context) : renamed({ ...found, alias }, tree.column_name_alias);
}

function derivedTable(tree: Tree, scope: ScopeWithTables, context: Context): Relation {
  const node = queryOf(tree);
  const alias = textOf(tree.alias);
  if (node === undefined) return unknownRelation(alias, context);
  return renamed({ ...context.query(node, scope.common, scope), alias }, tree.column_name_alias);
}

function valuesTable(tree: Tree, scope: ScopeWithTables, context: Context): Relation {
  const rows = (Array.isArray(tree.values) ? tree.values : []) as Tree[][];
  const width = rows[0]?.length ?? 0;
  const columns = Array.from({ length: width }, (_, i): OutputColumn => {
    const cells = rows.map((row) => (row[i] ? expressionLineage(row[i], scope, context, "list") : constant));
    return { name: `col${i}`, lineage: combined(cells) };
  });
  const relation: Relation = { alias: textOf(tree.alias), columns, rowsDependOn: new Set(), rows: "constant" };
  return renamed(relation, tree.column_name_alias);
}

/** `AS t(a, b)` names the first columns. */
export function renamed(relation: Relation, aliases: unknown): Relation {
  const names = namesOf(aliases);
  if (names.length === 0) return relation;
  return {
    ...relation,
    columns: relation.columns.map(({ name, lineage }, i) => ({ name: names[i] ?? name, lineage })),
  };
}

function joined(tree: Tree, scope: ScopeWithTables, context: Context): From {
  const left = fromOf(tree.left, scope, context);
  const wider = { ...scope, relations: [...scope.relations, ...left.relations] };
  const right = fromOf(tree.right, wider, context);
  const names = tree.ref_type === "NATURAL" ? commonNames(left, right) : namesOf(tree.using_columns).map(folded);
  const both = { ...wider, relations: [...wider.relations, ...right.relations] };
  const condition = isTree(tree.condition)
    ? dependsOnAll([expressionLineage(tree.condition, both, context, "list")])
    : new Set<SourceColumn>();
  const usedColumns = dependsOnAll([...columnsOf(left, names), ...columnsOf(right, names)]);
  const dependsOn = union([left.dependsOn, right.dependsOn, condition, usedColumns]);
  const type = textOf(tree.join_type);
  if (type === "SEMI" || type === "ANTI") {
    if (right.rows !== "constant") context.tells.add(`a ${type} JOIN may look for a single row: write it as a join`);
    return { relations: left.relations, dependsOn, rows: worst(left.rows, right.rows) };
  }
  const rights = right.relations.map((relation) => ({
    ...relation,
    merged: new Set([...(relation.merged ?? []), ...names]),
  }));
  // What an outer join takes from the right may stand in the column of the left.
  const lefts =
    names.length === 0 || type === "INNER" || type === "LEFT"
      ? left.relations
      : left.relations.map((relation) => mixed(relation, right, names));
  return { relations: [...lefts, ...rights], dependsOn, rows: worst(left.rows, right.rows) };
}

function mixed(relation: Relation, right: From, names: readonly string[]): Relation {
  const columns = relation.columns.map((column) => {
    if (column.name === undefined || !names.includes(folded(column.name))) return column;
    const lineage = combined([column.lineage, ...columnsOf(right, [folded(column.name)])]);
    return { ...column, lineage: { ...lineage, terms: 1, isColumn: true } };
  });
  return { ...relation, columns };
}

function columnsOf({ relations }: From, names: readonly string[]): Lineage[] {
  return relations.flatMap(({ columns }) =>
    columns.filter(({ name }) => name !== undefined && names.includes(folded(name))).map(({ lineage }) => lineage),
  );
}

function commonNames(left: From, right: From): string[] {
  const namesIn = ({ relations }: From) =>
    relations.flatMap(({ columns }) => columns.flatMap(({ name }) => (name === undefined ? [] : [folded(name)])));
  const rights = new Set(namesIn(right));
  return [...new Set(namesIn(left))].filter((name) => rights.has(name));
}

/** `*` and `t.*`, with EXCLUDE, REPLACE and RENAME. */
export function starColumns(
  tree: Tree,
  from: readonly Relation[],
  replacement: (expression: Tree) => Lineage,
): OutputColumn[] | undefined {
  if (tree.columns === true || isFilled(tree.expr) || isFilled(tree.unpacked)) return undefined;
  const table = folded(textOf(tree.relation_name));
  const excluded = new Set(namesOf(tree.exclude_list).map(folded));
  const qualified = (Array.isArray(tree.qualified_exclude_list) ? tree.qualified_exclude_list : []).filter(isTree);
  const isLeftOut = (relation: Relation, name: string) =>
    excluded.has(name) ||
    (table === "" && (relation.merged?.has(name) ?? false)) ||
    qualified.some(
      (one) => folded(textOf(one.table)) === folded(relation.alias) && folded(textOf(one.column)) === name,
    );
  const replaced = keyed(tree.replace_list);
  const renamedTo = keyed(tree.rename_list);
  return from
    .filter((relation) => table === "" || folded(relation.alias) === table)
    .flatMap((relation) =>
      relation.columns
        .filter(({ name }) => name === undefined || !isLeftOut(relation, folded(name)))
        .map(({ name, lineage }) => {
          const key = folded(name ?? "");
          const other = replaced.get(key);
          const to = renamedTo.get(key);
          return {
            name: typeof to === "string" ? to : name,
            lineage: isTree(other) ? replacement(other) : lineage,
          };
        }),
    );
}

function keyed(list: unknown): Map<string, unknown> {
  const entries = (Array.isArray(list) ? list : []).filter(isTree);
  return new Map(
    entries.map(({ key, value }) => [folded(isTree(key) ? textOf(key.column) : textOf(key)), value] as const),
  );
}
