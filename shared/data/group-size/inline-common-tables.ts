/** A query whose WITH is written out where it is used, so that each use can be changed by itself. */
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { commonTables, folded, isTree, namesOf, type Tree, textOf } from "../lineage/tree.ts";

interface Definition {
  readonly aliases: readonly string[];
  readonly node: Tree;
}

type Known = ReadonlyMap<string, Definition>;

/** @throws DynamosError SQL_REFUSED when it would grow too large */
export function inlineCommonTables(node: Tree): Tree {
  let nodes = 0;

  function inlined(value: unknown, known: Known): unknown {
    if (Array.isArray(value)) return value.map((item) => inlined(item, known));
    if (!isTree(value)) return value;
    nodes += 1;
    if (nodes > limits.sqlNodesMax) {
      throw new DynamosError(ErrorCode.SQL_REFUSED, "the query is too large for the terms that it is under");
    }
    if ("cte_map" in value) return inlinedQuery(value, known);
    if (value.type === "BASE_TABLE" && value.schema_name === "") {
      const definition = known.get(folded(textOf(value.table_name)));
      if (definition !== undefined) return subqueryOf(value, definition);
    }
    return entries(value, (inner) => inlined(inner, known));
  }

  function inlinedQuery(query: Tree, outer: Known): Tree {
    const known = new Map(outer);
    for (const { name, aliases, node: definition } of commonTables(query)) {
      if (definition !== undefined) {
        known.set(folded(name), { aliases, node: inlined(definition, new Map(known)) as Tree });
      }
    }
    return entries({ ...query, cte_map: { map: [] } }, (inner) => inlined(inner, known));
  }

  /** A copy each time: what is counted of one use is not of another. */
  function subqueryOf(table: Tree, { aliases, node: definition }: Definition): Tree {
    const own = namesOf(table.column_name_alias);
    return {
      type: "SUBQUERY",
      alias: textOf(table.alias) || textOf(table.table_name),
      sample: null,
      subquery: { node: inlined(definition, new Map()), named_param_map: [] },
      column_name_alias: [...own, ...aliases.slice(own.length)],
    };
  }

  return inlined(node, new Map()) as Tree;
}

function entries(tree: Tree, change: (value: unknown) => unknown): Tree {
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, change(value)]));
}
