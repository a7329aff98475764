/** What the parts of the analysis share. */
import { combined, type Kind, type Lineage, type SourceColumn, union, unknownLineage } from "./lineage.ts";
import type { Relation, Scope } from "./scope.ts";
import type { Tree } from "./tree.ts";

/** What WITH names, by folded name. */
export type CommonTables = ReadonlyMap<string, Relation>;

export interface ScopeWithTables extends Scope {
  readonly common: CommonTables;
  readonly outer: ScopeWithTables | undefined;
}

export interface Context {
  /** Loaded tables by folded name. */
  readonly tables: ReadonlyMap<string, Relation>;
  readonly all: ReadonlySet<SourceColumn>;
  /** Why single rows may be told of by this query, in words for the asker. */
  readonly tells: Set<string>;
  /** Whether each column of the result could be placed. */
  isCertain: boolean;
  query(node: Tree, common: CommonTables, outer: ScopeWithTables | undefined): Relation;
}

/** The tables of one FROM. */
export interface From {
  readonly relations: readonly Relation[];
  readonly dependsOn: ReadonlySet<SourceColumn>;
  readonly rows: Kind;
}

export const emptyFrom: From = { relations: [], dependsOn: new Set(), rows: "constant" };

export function unknownRelation(alias: string, context: Context): Relation {
  context.isCertain = false;
  context.tells.add("a part of the query is not understood");
  return {
    alias,
    columns: [{ name: undefined, lineage: unknownLineage(context.all) }],
    rowsDependOn: context.all,
    rows: "row",
  };
}

export function dependsOnAll(lineages: readonly Lineage[]): ReadonlySet<SourceColumn> {
  const { direct, indirect } = combined(lineages);
  return union([direct, indirect]);
}
