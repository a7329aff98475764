/** Rows by the values of some columns. */
import type { Cell } from "#data/column-kind";
import type { ColumnView } from "#data/table-view";
import { compareNames } from "#domain/by-name";

export interface Group {
  /** One cell for each column grouped by; null is a value like any other. */
  readonly key: readonly Cell[];
  /** Row numbers, in order. */
  readonly rows: number[];
}

type Branches = Map<Cell, Branches | Group>;

/** Sorted by key, column after column: numbers by size, text by code unit, null last. Without columns: one group, also of no rows. */
export function groupRows(columns: readonly ColumnView[], rowCount: number): Group[] {
  if (columns.length === 0) {
    return [{ key: [], rows: Array.from({ length: rowCount }, (_, row) => row) }];
  }
  const root: Branches = new Map();
  const groups: Group[] = [];
  for (let row = 0; row < rowCount; row += 1) groupOf(root, groups, columns, row).rows.push(row);
  return groups.sort((a, b) => compareKeys(a.key, b.key));
}

function groupOf(root: Branches, groups: Group[], columns: readonly ColumnView[], row: number): Group {
  let branches = root;
  const last = columns.length - 1;
  for (let depth = 0; depth < last; depth += 1) {
    const cell = columns[depth]?.cells[row] ?? null;
    let next = branches.get(cell);
    if (!(next instanceof Map)) {
      next = new Map();
      branches.set(cell, next);
    }
    branches = next;
  }
  const cell = columns[last]?.cells[row] ?? null;
  const found = branches.get(cell);
  if (found !== undefined && !(found instanceof Map)) return found;
  const group: Group = { key: columns.map(({ cells }) => cells[row] ?? null), rows: [] };
  branches.set(cell, group);
  groups.push(group);
  return group;
}

function compareKeys(a: readonly Cell[], b: readonly Cell[]): number {
  for (let index = 0; index < a.length; index += 1) {
    const order = compareCells(a[index] ?? null, b[index] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

export function compareCells(a: Cell, b: Cell): number {
  if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0);
  if (typeof a === "string" && typeof b === "string") return compareNames(a, b);
  if (Number.isNaN(a) || Number.isNaN(b)) return (Number.isNaN(a) ? 1 : 0) - (Number.isNaN(b) ? 1 : 0);
  return a < b ? -1 : a > b ? 1 : 0;
}
