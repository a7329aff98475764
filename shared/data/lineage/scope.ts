/** What names mean at one place of a query. */
import { combined, type Kind, type Lineage, type SourceColumn, unknownLineage } from "./lineage.ts";
import { folded } from "./tree.ts";

export interface OutputColumn {
  /** Undefined: the engine makes one up from the expression. */
  readonly name: string | undefined;
  readonly lineage: Lineage;
}

/** A table in FROM, or what a query gives. */
export interface Relation {
  readonly alias: string;
  readonly columns: readonly OutputColumn[];
  /** What decides which rows there are. */
  readonly rowsDependOn: ReadonlySet<SourceColumn>;
  /** `row`: it has a row for a row of a loaded table; `key`: for a group of them. */
  readonly rows: Kind;
  /** Names that USING or NATURAL made one with a column further left: left out of `*`. */
  readonly merged?: ReadonlySet<string>;
}

export interface Scope {
  readonly relations: readonly Relation[];
  /** Of the select list, so far. */
  readonly aliases: ReadonlyMap<string, Lineage>;
  /** Whether names outside of aggregates stand for what a group has in common. */
  readonly isGrouped: boolean;
  /** Of the query around this one. */
  readonly outer: Scope | undefined;
  /** All that there is: what is not understood depends on it. */
  readonly all: ReadonlySet<SourceColumn>;
}

/** Where a name stands: after GROUP BY it may be one of the select list, though a table has it too. */
export type Place = "list" | "after" | "aggregate";

export function resolve(names: readonly string[], scope: Scope, place: Place): Lineage {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
    const isHere = at === scope;
    const found = resolveIn(names, at, isHere ? place : "list");
    if (found !== undefined) {
      return at.isGrouped && !(isHere && place === "aggregate") ? grouped(found) : found;
    }
  }
  return unknownLineage(scope.all);
}

function grouped(lineage: Lineage): Lineage {
  return lineage.kind === "row" ? { ...lineage, kind: "key" } : lineage;
}

function resolveIn(names: readonly string[], scope: Scope, place: Place): Lineage | undefined {
  const parts = names.map(folded);
  const [first = "", second] = parts;
  if (second !== undefined) return qualified(parts, scope);
  // What USING made one with a column further left is meant there.
  const columns = scope.relations
    .filter((relation) => !relation.merged?.has(first))
    .flatMap((relation) => columnsNamed(relation, first));
  const alias = scope.aliases.get(first);
  if (place === "after" && alias !== undefined) return oneOf([...columns, alias]);
  if (columns.length > 0) return oneOf(columns);
  if (alias !== undefined) return alias;
  // The whole row as one value.
  const whole = scope.relations.filter((relation) => folded(relation.alias) === first);
  if (whole.length > 0) return computed(whole.flatMap((relation) => relation.columns.map(({ lineage }) => lineage)));
  const unnamed = scope.relations.flatMap(unnamedColumns);
  return unnamed.length === 0 ? undefined : computed(unnamed);
}

/** `t.c`; also a part of a column that has parts, and what a schema stands before. */
function qualified(parts: readonly string[], scope: Scope): Lineage | undefined {
  const [table = "", column = ""] = parts;
  const relations = scope.relations.filter((relation) => folded(relation.alias) === table);
  const found = relations.flatMap((relation) => columnsNamed(relation, column));
  if (found.length > 0) return parts.length === 2 ? oneOf(found) : computed(found);
  const unnamed = relations.flatMap(unnamedColumns);
  if (unnamed.length > 0) return computed(unnamed);
  const columns = scope.relations.flatMap((relation) => columnsNamed(relation, table));
  return columns.length === 0 ? undefined : computed(columns);
}

function columnsNamed({ columns }: Relation, name: string): Lineage[] {
  return columns.filter((column) => column.name !== undefined && folded(column.name) === name).map((c) => c.lineage);
}

function unnamedColumns({ columns }: Relation): Lineage[] {
  return columns.filter(({ name }) => name === undefined).map(({ lineage }) => lineage);
}

/** Several may be meant, as with USING: it depends on each. */
function oneOf(found: readonly Lineage[]): Lineage {
  const [only, second] = found;
  if (only !== undefined && (second === undefined || found.every((one) => one === only))) return only;
  const all = combined(found);
  // One of two columns as they are is still a column, though it can't be said which.
  return found.every(({ isColumn }) => isColumn) ? { ...all, terms: 1, isColumn: true } : all;
}

function computed(found: readonly Lineage[]): Lineage {
  return { ...combined(found), terms: Number.POSITIVE_INFINITY };
}
