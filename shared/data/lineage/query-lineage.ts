/**
 * Which source columns each column of a query's result depends on, and whether it tells of single
 * rows: by the engine's parse tree and the columns of the loaded tables alone. What can't be
 * understood depends on everything and is no aggregate.
 */
import type { Context } from "./context.ts";
import { type Kind, type SourceColumn, sourceLineage } from "./lineage.ts";
import { queryRelation } from "./query.ts";
import type { OutputColumn, Relation } from "./scope.ts";
import { folded, isTree, type Tree } from "./tree.ts";

export interface LoadedColumns {
  readonly table: string;
  readonly columns: readonly string[];
}

export interface QueryLineage {
  readonly columns: readonly OutputColumn[];
  /** `key`: each row is a group of rows; `row`: a row of a table stands behind it; `constant`: none. */
  readonly rows: Kind;
  /** Why single rows may be told of, in words; empty for a query that is aggregates through and through. */
  readonly tells: readonly string[];
  /** Whether `columns` are the result's, one by one. */
  readonly isCertain: boolean;
}

/** @param statement one of `json_serialize_sql` */
export function queryLineage(statement: Tree, loaded: readonly LoadedColumns[]): QueryLineage {
  const tables = new Map(loaded.map((one) => [folded(one.table), loadedRelation(one)]));
  const all = new Set<SourceColumn>(
    [...tables.values()].flatMap(({ columns }) => columns.flatMap(({ lineage }) => lineage.source ?? [])),
  );
  const context: Context = {
    tables,
    all,
    tells: new Set(),
    isCertain: true,
    query: (node, common, outer) => queryRelation(node, common, outer, context),
  };
  const node = isTree(statement.node) ? statement.node : {};
  const { columns, rows } = context.query(node, new Map(), undefined);
  return { columns, rows, tells: [...context.tells], isCertain: context.isCertain };
}

function loadedRelation({ table, columns }: LoadedColumns): Relation {
  return {
    alias: table,
    columns: columns.map((column) => ({ name: column, lineage: sourceLineage({ table, column }) })),
    rowsDependOn: new Set(),
    rows: "row",
  };
}
