/** The columns that a SELECT gives, a set operation, and what WITH names. */
import { limits } from "#domain/limits";
import { type CommonTables, type Context, dependsOnAll, type ScopeWithTables, unknownRelation } from "./context.ts";
import { expressionLineage, hasAggregate } from "./expression.ts";
import { fromOf, renamed, starColumns } from "./from.ts";
import { combined, constant, type Lineage, type SourceColumn, under, union, worst } from "./lineage.ts";
import type { OutputColumn, Place, Relation } from "./scope.ts";
import { commonTables, folded, isFilled, isTree, namesOf, type Tree, textOf, treesOf } from "./tree.ts";

export function queryRelation(
  node: Tree,
  known: CommonTables,
  outer: ScopeWithTables | undefined,
  context: Context,
): Relation {
  const common = new Map(known);
  for (const { name, aliases, node: definition } of commonTables(node)) {
    const relation =
      definition === undefined ? unknownRelation(name, context) : context.query(definition, common, outer);
    common.set(folded(name), renamed(relation, aliases));
  }
  const relation =
    node.type === "SELECT_NODE"
      ? selectRelation(node, common, outer, context)
      : node.type === "SET_OPERATION_NODE"
        ? setOperation(node, common, outer, context)
        : unknownRelation("", context);
  return relation.columns.length > limits.sqlColumnsMax ? unknownRelation("", context) : relation;
}

/** Whether its rows are groups of the rows of its FROM. */
export function isGrouped(node: Tree): boolean {
  return (
    isFilled(node.group_expressions) ||
    isFilled(node.group_sets) ||
    node.aggregate_handling === "FORCE_AGGREGATES" ||
    isTree(node.having) ||
    treesOf(node.select_list).some(hasAggregate) ||
    modifierExpressions(node).some(hasAggregate)
  );
}

function selectRelation(
  node: Tree,
  common: CommonTables,
  outer: ScopeWithTables | undefined,
  context: Context,
): Relation {
  const grouped = isGrouped(node);
  const before: ScopeWithTables = {
    relations: [],
    aliases: new Map(),
    isGrouped: false,
    outer,
    all: context.all,
    common,
  };
  const from = fromOf(node.from_table, before, context);
  const aliases = new Map<string, Lineage>();
  const scope: ScopeWithTables = { ...before, relations: from.relations, aliases, isGrouped: grouped };
  const of = (place: Place) => (tree: Tree) => expressionLineage(tree, scope, context, place);
  const columns = treesOf(node.select_list).flatMap((item) => selected(item, scope, context, aliases));
  // Rows are filtered before they are grouped.
  const filters = treesOf([node.where_clause]).map((tree) =>
    expressionLineage(tree, { ...scope, isGrouped: false }, context, "list"),
  );
  if (isTree(node.qualify)) context.tells.add("QUALIFY picks rows out");
  const others = [
    ...treesOf(node.group_expressions),
    ...treesOf([node.having, node.qualify]),
    ...modifierExpressions(node),
  ].filter((tree) => tree.class !== "CONSTANT" && tree.class !== "STAR");
  const lineages = [...filters, ...others.map(of("after"))];
  const byColumns = grouped || isDistinct(node) ? columns.map(({ lineage }) => lineage) : [];
  const decidedBy = union([from.dependsOn, dependsOnAll(lineages), keysOf(byColumns)]);
  if (hasDistinctOn(node)) context.tells.add("DISTINCT ON picks rows out");
  return {
    alias: "",
    columns: columns.map(({ name, lineage }) => ({ name, lineage: under(lineage, decidedBy) })),
    rowsDependOn: decidedBy,
    rows: grouped && from.rows !== "constant" ? "key" : from.rows,
  };
}

/** Columns that tell rows or groups apart. */
function keysOf(lineages: readonly Lineage[]): ReadonlySet<SourceColumn> {
  return dependsOnAll(lineages.filter(({ kind }) => kind === "key" || kind === "row"));
}

function selected(
  item: Tree,
  scope: ScopeWithTables,
  context: Context,
  aliases: Map<string, Lineage>,
): readonly OutputColumn[] {
  if (item.class === "STAR") {
    const columns = starColumns(item, scope.relations, (tree) => expressionLineage(tree, scope, context, "list"));
    if (columns !== undefined) return scope.isGrouped ? columns.map(groupedColumn) : columns;
    return unknownRelation("", context).columns;
  }
  const lineage = expressionLineage(item, scope, context, "list");
  const alias = textOf(item.alias);
  if (alias !== "") aliases.set(folded(alias), lineage);
  const name = alias || (item.class === "COLUMN_REF" ? namesOf(item.column_names).at(-1) : undefined);
  return [{ name, lineage }];
}

function groupedColumn({ name, lineage }: OutputColumn): OutputColumn {
  return { name, lineage: lineage.kind === "row" ? { ...lineage, kind: "key" } : lineage };
}

function modifierExpressions(node: Tree): Tree[] {
  return treesOf(node.modifiers).flatMap((modifier) => [
    ...treesOf(modifier.orders).flatMap(({ expression }) => treesOf([expression])),
    ...treesOf(modifier.distinct_on_targets),
    ...treesOf([modifier.limit, modifier.offset]),
  ]);
}

function isDistinct(node: Tree): boolean {
  return treesOf(node.modifiers).some(({ type }) => type === "DISTINCT_MODIFIER");
}

function hasDistinctOn(node: Tree): boolean {
  return treesOf(node.modifiers).some((modifier) => isFilled(modifier.distinct_on_targets));
}

function setOperation(
  node: Tree,
  common: CommonTables,
  outer: ScopeWithTables | undefined,
  context: Context,
): Relation {
  const nodes = [...treesOf([node.left, node.right]), ...treesOf(node.children)];
  const parts = nodes.map((part) => context.query(part, common, outer));
  const [first] = parts;
  if (first === undefined) return unknownRelation("", context);
  const columns = node.setop_type === "UNION_BY_NAME" ? byName(parts) : byPlace(parts);
  const isPlain = node.setop_all === true && textOf(node.setop_type).startsWith("UNION");
  const scope: ScopeWithTables = {
    relations: [{ ...first, columns }],
    aliases: new Map(),
    isGrouped: false,
    outer,
    all: context.all,
    common,
  };
  const order = modifierExpressions(node)
    .filter((tree) => tree.class !== "CONSTANT" && tree.class !== "STAR")
    .map((tree) => expressionLineage(tree, scope, context, "list"));
  const decidedBy = union([
    ...parts.map(({ rowsDependOn }) => rowsDependOn),
    dependsOnAll(order),
    isPlain ? new Set<SourceColumn>() : dependsOnAll(columns.map(({ lineage }) => lineage)),
  ]);
  return {
    alias: "",
    columns: columns.map(({ name, lineage }) => ({ name, lineage: under(lineage, decidedBy) })),
    rowsDependOn: decidedBy,
    rows: worst(...parts.map(({ rows }) => rows)),
  };
}

function byPlace(parts: readonly Relation[]): OutputColumn[] {
  const [first] = parts;
  return (first?.columns ?? []).map(({ name }, i) => ({
    name,
    lineage: either(parts.map(({ columns }) => columns[i]?.lineage ?? constant)),
  }));
}

function byName(parts: readonly Relation[]): OutputColumn[] {
  const lineages = new Map<string, { name: string | undefined; found: Lineage[] }>();
  for (const [at, { columns }] of parts.entries()) {
    for (const [i, { name, lineage }] of columns.entries()) {
      const key = name === undefined ? `${at}\u0000${i}` : folded(name);
      const known = lineages.get(key) ?? { name, found: [] };
      known.found.push(lineage);
      lineages.set(key, known);
    }
  }
  return [...lineages.values()].map(({ name, found }) => ({ name, lineage: either(found) }));
}

/** A value of one or of the other: as telling as the worse. */
function either(found: readonly Lineage[]): Lineage {
  const [first = constant] = found;
  return {
    ...combined(found),
    terms: Math.max(0, ...found.map(({ terms }) => terms)),
    isColumn: found.every(({ isColumn }) => isColumn),
    source: found.every(({ source }) => source === first.source) ? first.source : undefined,
  };
}
