/**
 * A query changed so that no group of fewer rows than a minimum comes out of it. A group's size is
 * the number of different rows of each loaded table that are in it, the smallest of them: a join
 * that repeats rows makes no group larger. To count them through sub-queries, these hand on the
 * numbers of their rows in hidden columns.
 */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { isGrouped } from "../lineage/query.ts";
import { folded, isFilled, isTree, queryOf, type Tree, textOf, treesOf } from "../lineage/tree.ts";
import { aggregatedValues, asGroups, holdsMore, type Source, withoutHidden } from "./grouped-nodes.ts";
import { allOf, anyOf, atLeast, callNode, columnNode, isZero, named } from "./nodes.ts";

/** Of the names of hidden columns, which no name of a query's may have. */
export const hiddenPrefix = "dynamos row";

/** Where one can find the number of a row: names of a column reference. */
type RowNumber = readonly string[];

interface Counted {
  readonly from: unknown;
  readonly sources: readonly Source[];
  readonly rowNumbers: readonly RowNumber[];
  /** Whether there are rows whose numbers are lost on the way: then only the rows themselves can be counted. */
  readonly isOpaque: boolean;
}

/** A grouped query with all of its groups, and in its last column, `size`, whether each is large enough. */
export interface GroupCheck {
  readonly groups: Tree;
  readonly size: string;
  /** The same without groups: whether all rows together are enough. */
  readonly whole: Tree;
}

export interface SizedOptions {
  readonly least: number;
  /** Folded names of the loaded tables. */
  readonly tables: ReadonlySet<string>;
  /** Whether nothing but groups may be told of: then all that can't be counted is refused, values are counted too. */
  readonly isStrict: boolean;
}

export class SizedGroups {
  readonly checks: GroupCheck[] = [];
  /** Whether any group may be left out. */
  isSized = false;
  readonly #options: SizedOptions;
  #hidden = 0;

  constructor(options: SizedOptions) {
    this.#options = options;
  }

  /** @param node without WITH */
  sized(node: Tree): Tree {
    if (node.type !== "SELECT_NODE") {
      return { ...node, ...this.#parts(node, (part) => this.sized(part)) };
    }
    if (!isGrouped(node)) return this.#withSubqueries({ ...node, from_table: this.#sizedTables(node.from_table) });
    const { node: grouped, counted } = this.#withCountedFrom(node);
    const size = this.#sizeOf(counted, this.#options.isStrict ? aggregatedValues(node) : []);
    if (size === undefined) return this.#withSubqueries(grouped);
    this.isSized = true;
    this.#check(grouped, size, counted);
    const having = isTree(node.having) ? allOf([node.having, size]) : size;
    return this.#withSubqueries({ ...grouped, having });
  }

  /** The same rows, with the numbers of the table rows behind each. @returns undefined where they can't be had */
  numbered(node: Tree): { node: Tree; hidden: string[] } | undefined {
    if (node.type !== "SELECT_NODE" || treesOf(node.modifiers).some((one) => isFilled(one.distinct_on_targets))) {
      return this.#lost("a set operation or DISTINCT ON");
    }
    const isDistinct = treesOf(node.modifiers).some(({ type }) => type === "DISTINCT_MODIFIER");
    const grouped = isGrouped(node);
    const list = treesOf(node.select_list);
    if (isDistinct && (grouped || list.some(holdsMore))) return this.#lost("DISTINCT over groups or sub-queries");
    const { node: inner, counted } = this.#withCountedFrom(node);
    if (counted.isOpaque) return this.#lost("a part of the query");
    const columns = counted.rowNumbers.map((names) => {
      const column = columnNode(names);
      const first = callNode("min", [column]);
      return named(grouped || isDistinct ? first : column, this.#name());
    });
    const all = this.#withSubqueries({ ...inner, select_list: [...treesOf(inner.select_list), ...columns] });
    const hidden = columns.map(({ alias }) => textOf(alias));
    // Different rows are groups of the equal ones.
    return { node: isDistinct && hidden.length > 0 ? asGroups(all) : all, hidden };
  }

  #lost(what: string): undefined {
    if (!this.#options.isStrict) return undefined;
    throw new DynamosError(
      ErrorCode.SQL_REFUSED,
      `${what} inside what is aggregated hides how many rows a group has: write it without`,
    );
  }

  #name(): string {
    this.#hidden += 1;
    return `${hiddenPrefix} ${this.#hidden}`;
  }

  #withCountedFrom(node: Tree): { node: Tree; counted: Counted } {
    const counted = this.#counted(node.from_table);
    const aliases = counted.sources.map(({ alias }) => folded(alias)).filter((alias) => alias !== "");
    if (new Set(aliases).size < aliases.length) {
      throw new DynamosError(
        ErrorCode.SQL_REFUSED,
        "a table is there twice under one name: give each a name of its own with AS",
      );
    }
    const list = treesOf(node.select_list).map((item) => withoutHidden(item, counted.sources));
    return { node: { ...node, from_table: counted.from, select_list: list }, counted };
  }

  #counted(from: unknown): Counted {
    const nothing = { from, sources: [], rowNumbers: [], isOpaque: false };
    if (!isTree(from)) return nothing;
    if (from.type === "JOIN") return this.#countedJoin(from);
    if (from.type === "BASE_TABLE") return this.#countedTable(from);
    const query = from.type === "SUBQUERY" ? queryOf(from) : undefined;
    if (query === undefined) return nothing;
    const alias = textOf(from.alias);
    const inner = this.numbered(query);
    if (inner === undefined) return { ...nothing, sources: [{ alias, hidden: [] }], isOpaque: true };
    // A table in brackets without a name is found by its columns alone.
    const rowNumbers = inner.hidden.map((column) => (alias === "" ? [column] : [alias, column]));
    const subquery = { ...(from.subquery as Tree), node: inner.node };
    return { from: { ...from, subquery }, sources: [{ alias, hidden: inner.hidden }], rowNumbers, isOpaque: false };
  }

  #countedTable(table: Tree): Counted {
    const alias = textOf(table.alias) || textOf(table.table_name);
    const renames = Array.isArray(table.column_name_alias) ? (table.column_name_alias as string[]) : [];
    if (renames.some((name) => folded(name) === "rowid")) {
      throw new DynamosError(ErrorCode.SQL_REFUSED, "no column may be named rowid here");
    }
    const isLoaded = this.#options.tables.has(folded(textOf(table.table_name)));
    const rowNumbers = isLoaded ? [[alias, "rowid"]] : [];
    return { from: table, sources: [{ alias, hidden: [] }], rowNumbers, isOpaque: false };
  }

  #countedJoin(join: Tree): Counted {
    const left = this.#counted(join.left);
    const right = this.#counted(join.right);
    const isShown = join.join_type !== "SEMI" && join.join_type !== "ANTI";
    return {
      from: { ...join, left: left.from, right: right.from },
      sources: [...left.sources, ...(isShown ? right.sources : [])],
      rowNumbers: [...left.rowNumbers, ...(isShown ? right.rowNumbers : [])],
      isOpaque: left.isOpaque || (isShown && right.isOpaque),
    };
  }

  /** Undefined: no rows of tables are in it. */
  #sizeOf({ rowNumbers, isOpaque }: Counted, aggregated: readonly Tree[]): Tree | undefined {
    const { least } = this.#options;
    if (rowNumbers.length === 0 && !isOpaque) return undefined;
    const enough = rowNumbers.map((names) => {
      const column = columnNode(names);
      // An outer join may bring no row of a table at all, which tells nothing of one.
      return anyOf([atLeast(callNode("count", [column], true), least), isZero(callNode("count", [column]))]);
    });
    // The average over one value that is there is that value, however many there might have been.
    const values = aggregated.map((value) => atLeast(callNode("count", [value]), least));
    return allOf([atLeast(callNode("count_star", []), least), ...enough, ...values]);
  }

  #check(grouped: Tree, size: Tree, counted: Counted): void {
    const name = this.#name();
    const open = { having: null, qualify: null, modifiers: [] };
    const all = this.#sizeOf(counted, []) ?? size;
    this.checks.push({
      groups: { ...grouped, ...open, select_list: [...treesOf(grouped.select_list), named(size, name)] },
      size: name,
      whole: {
        ...grouped,
        ...open,
        group_expressions: [],
        group_sets: [],
        aggregate_handling: "STANDARD_HANDLING",
        select_list: [all],
      },
    });
  }

  #sizedTables(from: unknown): unknown {
    if (!isTree(from)) return from;
    if (from.type === "JOIN") {
      return { ...from, left: this.#sizedTables(from.left), right: this.#sizedTables(from.right) };
    }
    const query = from.type === "SUBQUERY" ? queryOf(from) : undefined;
    return query === undefined ? from : { ...from, subquery: { ...(from.subquery as Tree), node: this.sized(query) } };
  }

  /** Of the sub-queries in expressions those of the select list come out; the others too may look at a small group. */
  #withSubqueries(node: Tree): Tree {
    const { isStrict } = this.#options;
    const skipped = new Set(["from_table", "cte_map"]);
    const changed = Object.entries(node).map(([key, value]) => [
      key,
      skipped.has(key) || !(isStrict || key === "select_list") ? value : this.#expressions(value),
    ]);
    return Object.fromEntries(changed);
  }

  #expressions(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#expressions(item));
    if (!isTree(value)) return value;
    const query = value.class === "SUBQUERY" ? queryOf(value) : undefined;
    const entries = Object.entries(value).map(([key, inner]) => [
      key,
      key === "subquery" && query !== undefined
        ? { ...(inner as Tree), node: this.#unchecked(query) }
        : this.#expressions(inner),
    ]);
    return Object.fromEntries(entries);
  }

  /** It may name columns of the query around it, so its groups can't be counted by themselves. */
  #unchecked(query: Tree): Tree {
    const before = this.checks.length;
    const node = this.sized(query);
    this.checks.length = before;
    return node;
  }

  #parts(node: Tree, change: (part: Tree) => Tree): Tree {
    const parts = ["left", "right"].flatMap((key) => (isTree(node[key]) ? [[key, change(node[key] as Tree)]] : []));
    const more = Array.isArray(node.children) ? { children: treesOf(node.children).map(change) } : {};
    return { ...Object.fromEntries(parts), ...more };
  }
}
