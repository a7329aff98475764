/** The lineage of an expression. */
import { aggregateFunctions, summaryFunctions } from "../sql-functions.ts";
import { termsOf } from "./arithmetic.ts";
import type { Context, ScopeWithTables } from "./context.ts";
import { combined, constant, type Lineage, under, union, unknownLineage } from "./lineage.ts";
import { type Place, resolve } from "./scope.ts";
import { childExpressions, namesOf, queryOf, type Tree, textOf } from "./tree.ts";

const plain: ReadonlySet<string> = new Set([
  "COMPARISON",
  "CONJUNCTION",
  "CAST",
  "CASE",
  "BETWEEN",
  "OPERATOR",
  "COLLATE",
]);
/** Columns that an aggregate may take apart, or from each other, and still be about many rows. */
export const aggregatedTermsMax = 2;

export function expressionLineage(tree: Tree, scope: ScopeWithTables, context: Context, place: Place): Lineage {
  const children = () => childExpressions(tree).map((child) => expressionLineage(child, scope, context, place));
  switch (tree.class) {
    case "CONSTANT":
      return constant;
    case "COLUMN_REF":
      return resolve(namesOf(tree.column_names), scope, place);
    case "FUNCTION":
      return isAggregate(tree) ? aggregate(tree, scope, context) : computed(tree, children());
    case "WINDOW":
      context.tells.add("a window function gives a value to each row: use GROUP BY");
      return { ...computed(tree, children()), kind: scope.isGrouped ? combined(children()).kind : "row" };
    case "SUBQUERY":
      return subquery(tree, scope, context, place);
    case "STAR":
    case "POSITIONAL_REFERENCE":
      if (tree.class === "STAR") context.isCertain = false;
      context.tells.add("a column is taken by its place: name it");
      return unknownLineage(context.all);
    default:
      return plain.has(textOf(tree.class)) ? computed(tree, children()) : unknownLineage(context.all);
  }
}

export function isAggregate(tree: Tree): boolean {
  return tree.class === "FUNCTION" && aggregateFunctions.has(textOf(tree.function_name).toLowerCase());
}

/** Whether an aggregate of this query itself, not of one in it, is somewhere in the expression. */
export function hasAggregate(tree: Tree): boolean {
  return isAggregate(tree) || childExpressions(tree).some(hasAggregate);
}

function computed(tree: Tree, children: readonly Lineage[]): Lineage {
  return { ...combined(children), terms: termsOf(tree, children) };
}

function aggregate(tree: Tree, scope: ScopeWithTables, context: Context): Lineage {
  const name = textOf(tree.function_name).toLowerCase();
  const lineageOf = (child: Tree) => expressionLineage(child, scope, context, "aggregate");
  const given = (Array.isArray(tree.children) ? (tree.children as Tree[]) : []).map(lineageOf);
  const rest = childExpressions({ ...tree, children: [] }).map(lineageOf);
  const isSummary = summaryFunctions.has(name);
  if (!isSummary) context.tells.add(`${name} hands out values of single rows`);
  if (tree.filter) context.tells.add("FILTER may leave a single row: put its condition into WHERE or GROUP BY");
  if (given.some(({ terms }) => terms > aggregatedTermsMax)) {
    context.tells.add(
      `${name.replace("count_star", "count")} over an expression may be about a single row: an aggregate takes a column, or the sum, difference or product of two; put conditions into WHERE or GROUP BY`,
    );
  }
  const { direct } = combined(given);
  return {
    direct,
    indirect: union([combined(given).indirect, combined(rest).direct, combined(rest).indirect]),
    kind: isSummary ? "aggregate" : "row",
    terms: 1,
    isColumn: true,
    source: undefined,
  };
}

function subquery(tree: Tree, scope: ScopeWithTables, context: Context, place: Place): Lineage {
  const node = queryOf(tree);
  if (node === undefined) return unknownLineage(context.all);
  const relation = context.query(node, scope.common, scope);
  const column = relation.columns[0]?.lineage ?? constant;
  const others = childExpressions(tree).map((child) => expressionLineage(child, scope, context, place));
  if (tree.subquery_type === "SCALAR") {
    if (relation.rows === "row") context.tells.add("a sub-query gives a value of a single row: aggregate in it");
    const isRow = relation.rows === "row" || column.kind === "row";
    const lineage = under(
      { ...combined([column, ...others]), kind: isRow ? "row" : column.kind },
      relation.rowsDependOn,
    );
    return { ...lineage, terms: Number.POSITIVE_INFINITY };
  }
  if (relation.rows !== "constant") {
    context.tells.add("IN, EXISTS, ANY and ALL of a sub-query may look for a single row: write it as a join");
  }
  const lineage = under(combined([column, ...others]), relation.rowsDependOn);
  return { ...lineage, kind: "row", terms: Number.POSITIVE_INFINITY };
}
