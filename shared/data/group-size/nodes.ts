/** Expressions as nodes of the engine's parse tree. */
import type { Tree } from "../lineage/tree.ts";

export function columnNode(names: readonly string[], alias = ""): Tree {
  return { class: "COLUMN_REF", type: "COLUMN_REF", alias, column_names: names };
}

export function callNode(name: string, children: readonly Tree[], isDistinct = false): Tree {
  return {
    class: "FUNCTION",
    type: "FUNCTION",
    alias: "",
    function_name: name,
    schema: "",
    children,
    filter: null,
    order_bys: { type: "ORDER_MODIFIER", orders: [] },
    distinct: isDistinct,
    is_operator: false,
    export_state: false,
    catalog: "",
  };
}

function numberNode(value: number): Tree {
  return {
    class: "CONSTANT",
    type: "VALUE_CONSTANT",
    alias: "",
    value: { type: { id: "INTEGER", type_info: null }, is_null: false, value },
  };
}

function comparison(type: string, left: Tree, right: Tree): Tree {
  return { class: "COMPARISON", type, alias: "", left, right };
}

export function atLeast(value: Tree, least: number): Tree {
  return comparison("COMPARE_GREATERTHANOREQUALTO", value, numberNode(least));
}

export function isZero(value: Tree): Tree {
  return comparison("COMPARE_EQUAL", value, numberNode(0));
}

export function allOf(children: readonly Tree[]): Tree {
  return conjunction("CONJUNCTION_AND", children);
}

export function anyOf(children: readonly Tree[]): Tree {
  return conjunction("CONJUNCTION_OR", children);
}

function conjunction(type: string, children: readonly Tree[]): Tree {
  const [only, second] = children;
  return only !== undefined && second === undefined ? only : { class: "CONJUNCTION", type, alias: "", children };
}

/** An expression under a name in the select list. */
export function named(expression: Tree, alias: string): Tree {
  return { ...expression, alias };
}
