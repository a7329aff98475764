/** Groups of rows by the values of some columns. */
import type { Data } from "apache-arrow";
import type { Cell, ColumnSpec } from "#data/column-kind";
import { compareNames } from "#domain/by-name";
import { checkGroups, KeyCodes } from "./key-codes.ts";

export interface Group<Kept> {
  /** One cell for each column grouped by; null is a value like any other. */
  readonly key: readonly Cell[];
  readonly kept: Kept;
}

/** More than there are codes of one column. */
const codeRange = 2 ** 21;

/** Groups by the columns so far, each split by the next one's codes. */
class Split {
  readonly #places = new Map<number, number>();
  /** By place: the group that was split, and the code. */
  readonly parents: number[] = [];
  readonly codes: number[] = [];

  placeOf(parent: number, code: number): number {
    const pair = parent * codeRange + code;
    const known = this.#places.get(pair);
    if (known !== undefined) return known;
    const place = this.parents.length;
    checkGroups(place + 1);
    this.#places.set(pair, place);
    this.parents.push(parent);
    this.codes.push(code);
    return place;
  }
}

export class Groups<Kept> {
  readonly #keys: readonly KeyCodes[];
  readonly #splits: readonly Split[];
  readonly #make: () => Kept;
  /** By place. */
  readonly kept: Kept[] = [];

  /** @param specs of the columns grouped by; none: one group, also of no rows */
  constructor(specs: readonly ColumnSpec[], make: () => Kept) {
    this.#keys = specs.map((spec) => new KeyCodes(spec));
    this.#splits = specs.slice(1).map(() => new Split());
    this.#make = make;
    if (specs.length === 0) this.kept.push(make());
  }

  /** Of each row, the place of its group among the kept. @throws DynamosError RESULT_TOO_LARGE */
  placesOf(columns: readonly Data[], rows: number): Int32Array {
    const [first, ...more] = this.#keys.map((key, i) => key.codesOf(columns[i] as Data, rows));
    if (first === undefined) return new Int32Array(rows);
    const places = first;
    for (const [i, codes] of more.entries()) {
      const split = this.#splits[i] as Split;
      for (let row = 0; row < rows; row++) places[row] = split.placeOf(places[row] as number, codes[row] as number);
    }
    const count = this.#splits.at(-1)?.parents.length ?? this.#keys[0]?.cells.length ?? 0;
    while (this.kept.length < count) this.kept.push(this.#make());
    return places;
  }

  /** By key, column after column: numbers by size, text by code unit, null last. */
  sorted(): readonly Group<Kept>[] {
    const groups = this.kept.map((kept, place) => ({ key: this.#keyOf(place), kept }));
    return groups.sort((a, b) => compareKeys(a.key, b.key));
  }

  #keyOf(place: number): readonly Cell[] {
    const key: Cell[] = [];
    let at = place;
    for (let i = this.#keys.length - 1; i >= 0; i--) {
      const split = this.#splits[i - 1];
      const code = split === undefined ? at : (split.codes[at] as number);
      key.unshift(this.#keys[i]?.cells[code] ?? null);
      at = split?.parents[at] ?? 0;
    }
    return key;
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
