/** What one column of a query, or an expression in it, is made of. */
export interface SourceColumn {
  readonly table: string;
  readonly column: string;
}

/** From the least to the most telling: `row` is a value of a single row, `key` what a group's rows have in common. */
export type Kind = "constant" | "aggregate" | "key" | "row";

export interface Lineage {
  /** Source columns that its values are computed from. */
  readonly direct: ReadonlySet<SourceColumn>;
  /** Those that decide by filter, join, group or order which of them there are. */
  readonly indirect: ReadonlySet<SourceColumn>;
  readonly kind: Kind;
  /** Columns in sums, differences and products; 0: a constant; infinite: something that may pick rows out. */
  readonly terms: number;
  /** Whether it is a column as it is, of a table or a sub-query. */
  readonly isColumn: boolean;
  /** The column of a loaded table that it is, unchanged. */
  readonly source: SourceColumn | undefined;
}

const none: ReadonlySet<SourceColumn> = new Set();

export const constant: Lineage = {
  direct: none,
  indirect: none,
  kind: "constant",
  terms: 0,
  isColumn: false,
  source: undefined,
};

/** Of a column of a loaded table. */
export function sourceLineage(source: SourceColumn): Lineage {
  return { direct: new Set([source]), indirect: none, kind: "row", terms: 1, isColumn: true, source };
}

/** What can't be understood depends on everything. */
export function unknownLineage(all: ReadonlySet<SourceColumn>): Lineage {
  return {
    direct: all,
    indirect: all,
    kind: "row",
    terms: Number.POSITIVE_INFINITY,
    isColumn: false,
    source: undefined,
  };
}

const kinds: readonly Kind[] = ["constant", "aggregate", "key", "row"];

export function worst(...given: readonly Kind[]): Kind {
  return kinds[Math.max(0, ...given.map((kind) => kinds.indexOf(kind)))] as Kind;
}

/** Of what is computed from several, in a way that nothing more is known of. */
export function combined(parts: readonly Lineage[]): Lineage {
  return {
    direct: union(parts.map(({ direct }) => direct)),
    indirect: union(parts.map(({ indirect }) => indirect)),
    kind: worst(...parts.map(({ kind }) => kind)),
    terms: parts.every(({ terms }) => terms === 0) ? 0 : Number.POSITIVE_INFINITY,
    isColumn: false,
    source: undefined,
  };
}

/** With more that decides whether it is there. */
export function under(lineage: Lineage, indirect: ReadonlySet<SourceColumn>): Lineage {
  return indirect.size === 0 ? lineage : { ...lineage, indirect: union([lineage.indirect, indirect]) };
}

/** All that it depends on. */
export function dependencies({ direct, indirect }: Lineage): ReadonlySet<SourceColumn> {
  return union([direct, indirect]);
}

export function union(sets: readonly ReadonlySet<SourceColumn>[]): ReadonlySet<SourceColumn> {
  const filled = sets.filter(({ size }) => size > 0);
  const [only, second] = filled;
  if (only === undefined) return none;
  if (second === undefined) return only;
  const all = new Set<SourceColumn>();
  for (const set of filled) for (const item of set) all.add(item);
  return all;
}
