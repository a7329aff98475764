/** Groups of rows by the values of some columns. */
import { ErrorCode } from "#contracts";
import type { Cell } from "#data/column-kind";
import { compareNames } from "#domain/by-name";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";

export interface Group<Kept> {
  /** One cell for each column grouped by; null is a value like any other. */
  readonly key: readonly Cell[];
  readonly kept: Kept;
}

type Branches<Kept> = Map<Cell, Branches<Kept> | Group<Kept>>;

export class Groups<Kept> {
  readonly #width: number;
  readonly #make: () => Kept;
  readonly #root: Branches<Kept> = new Map();
  readonly #groups: Group<Kept>[] = [];

  /** @param width number of columns grouped by; 0: one group, also of no rows */
  constructor(width: number, make: () => Kept) {
    this.#width = width;
    this.#make = make;
    if (width === 0) this.#groups.push({ key: [], kept: make() });
  }

  /** @param cellAt the row's cell of the column at this place of the key. @throws DynamosError RESULT_TOO_LARGE */
  of(cellAt: (place: number) => Cell): Kept {
    if (this.#width === 0) return (this.#groups[0] as Group<Kept>).kept;
    let branches = this.#root;
    const last = this.#width - 1;
    for (let place = 0; place < last; place += 1) {
      const cell = cellAt(place);
      let next = branches.get(cell);
      if (!(next instanceof Map)) {
        next = new Map();
        branches.set(cell, next);
      }
      branches = next;
    }
    const found = branches.get(cellAt(last));
    return found !== undefined && !(found instanceof Map) ? found.kept : this.#add(branches, cellAt);
  }

  /** By key, column after column: numbers by size, text by code unit, null last. */
  sorted(): readonly Group<Kept>[] {
    return this.#groups.sort((a, b) => compareKeys(a.key, b.key));
  }

  #add(branches: Branches<Kept>, cellAt: (place: number) => Cell): Kept {
    if (this.#groups.length >= limits.groupsMax) {
      const message = `more than ${limits.groupsMax} groups: group by columns with fewer values`;
      throw new DynamosError(ErrorCode.RESULT_TOO_LARGE, message);
    }
    const key = Array.from({ length: this.#width }, (_, place) => cellAt(place));
    const group = { key, kept: this.#make() };
    branches.set(key[this.#width - 1] ?? null, group);
    this.#groups.push(group);
    return group.kept;
  }
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
