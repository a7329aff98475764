/** What a query's groups are made of, in its parse tree. */
import { hasAggregate, isAggregate } from "../lineage/expression.ts";
import { childExpressions, folded, type Tree, textOf, treesOf } from "../lineage/tree.ts";

/** A table in FROM. */
export interface Source {
  readonly alias: string;
  /** Columns that `*` must leave out. */
  readonly hidden: readonly string[];
}

/** What aggregates that come out compute over, each once. */
export function aggregatedValues(node: Tree): Tree[] {
  const found = new Map<string, Tree>();
  const visit = (tree: Tree): void => {
    if (isAggregate(tree)) {
      for (const value of treesOf(tree.children)) {
        if (value.class !== "CONSTANT") found.set(JSON.stringify({ ...value, query_location: 0, alias: "" }), value);
      }
    } else {
      for (const child of childExpressions(tree)) visit(child);
    }
  };
  const orders = treesOf(node.modifiers).flatMap((one) => treesOf(one.orders).flatMap((o) => treesOf([o.expression])));
  for (const tree of [...treesOf(node.select_list), ...treesOf([node.having]), ...orders]) visit(tree);
  return [...found.values()];
}

/** Whether DISTINCT over it is more than groups of equal rows. */
export function holdsMore(tree: Tree): boolean {
  return (
    tree.class === "WINDOW" || tree.class === "SUBQUERY" || hasAggregate(tree) || childExpressions(tree).some(holdsMore)
  );
}

/** Different rows as groups of the equal ones. */
export function asGroups(node: Tree): Tree {
  const modifiers = treesOf(node.modifiers).filter(({ type }) => type !== "DISTINCT_MODIFIER");
  return { ...node, modifiers, aggregate_handling: "FORCE_AGGREGATES" };
}

/** A star that leaves hidden columns out. */
export function withoutHidden(item: Tree, sources: readonly Source[]): Tree {
  if (item.class !== "STAR") return item;
  const table = folded(textOf(item.relation_name));
  const hidden = sources.filter(({ alias }) => table === "" || folded(alias) === table).flatMap((one) => one.hidden);
  const excluded = Array.isArray(item.exclude_list) ? (item.exclude_list as string[]) : [];
  return hidden.length === 0 ? item : { ...item, exclude_list: [...excluded, ...hidden] };
}
