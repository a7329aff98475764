/**
 * The columns that a query can be about, by the names that its parse tree holds: a session loads no others. Less is
 * copied, and a query that got past the guard would find less. Where a query can reach columns without naming them,
 * it is about all.
 */
import { broadlyFolded } from "#domain/permitted-columns";
import { isFilled, isTree, namesOf, type Tree, textOf } from "./lineage/tree.ts";

export interface NamedColumns {
  /** Of a table's columns, in their order; one at least, so that its rows can be counted. */
  of(columns: readonly string[]): readonly string[];
}

/** @param statement as the guard has let it through */
export function columnsNamed(statement: Tree): NamedColumns {
  const names = new NamesIn();
  names.visit(statement);
  if (names.areAll) return { of: (columns) => columns };
  return {
    of: (columns) => {
      const named = columns.filter((column) => names.columns.has(broadlyFolded(column)));
      return named.length > 0 ? named : columns.slice(0, 1);
    },
  };
}

class NamesIn {
  readonly columns = new Set<string>();
  /** Of tables, and of what stands in a table's place. */
  readonly #tables = new Set<string>();
  /** The last part of each name: that of a table there is a whole row. */
  readonly #last = new Set<string>();
  #reachesMore = false;

  get areAll(): boolean {
    return this.#reachesMore || [...this.#last].some((name) => this.#tables.has(name));
  }

  visit(value: unknown): void {
    if (Array.isArray(value)) for (const item of value) this.visit(item);
    else if (isTree(value)) this.#tree(value);
  }

  #tree(tree: Tree): void {
    if (tree.class === "CONSTANT") return;
    if (tree.class === "STAR" || tree.class === "POSITIONAL_REFERENCE") this.#reachesMore = true;
    else if (tree.class === "COLUMN_REF") this.#column(namesOf(tree.column_names));
    else if (tree.class === undefined) this.#table(tree);
    for (const [key, child] of Object.entries(tree)) {
      // A type to cast to has no names but the engine's own.
      if (key !== "cast_type") this.visit(child);
    }
  }

  /** With what stands before it: `a.b` may be a field of the column a. */
  #column(names: readonly string[]): void {
    for (const name of names) this.columns.add(broadlyFolded(name));
    this.#last.add(broadlyFolded(names.at(-1) ?? ""));
  }

  #table(tree: Tree): void {
    for (const name of [tree.table_name, tree.alias, tree.key]) {
      if (textOf(name) !== "") this.#tables.add(broadlyFolded(textOf(name)));
    }
    for (const name of namesOf(tree.using_columns)) this.columns.add(broadlyFolded(name));
    // Columns are matched, or named anew, by which there are.
    if (tree.ref_type === "NATURAL" || isFilled(tree.column_name_alias)) this.#reachesMore = true;
  }
}
