/** The different values of a column that rows are grouped by, each with a number: rows are told apart by numbers then. */
import type { Data } from "apache-arrow";
import { ErrorCode } from "#contracts";
import type { Cell, ColumnSpec } from "#data/column-kind";
import { booleansOf, isNull, numbersOf, validityOf, wholesOf } from "#data/column-values";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { TextCache } from "./text-cache.ts";

type Key = Exclude<Cell, null>;

export class KeyCodes {
  /** By code. Null is a value like any other. */
  readonly cells: Cell[] = [];
  readonly #spec: ColumnSpec;
  readonly #codes = new Map<Key | null, number>();
  readonly #texts = new TextCache((text) => this.#codeOf(text));

  constructor(spec: ColumnSpec) {
    this.#spec = spec;
  }

  /** One a row. @throws DynamosError RESULT_TOO_LARGE when there are more values than there may be groups */
  codesOf(column: Data, rows: number): Int32Array {
    const codes = new Int32Array(rows);
    if (column.nullCount > 0) codes.fill(this.#codeOf(null));
    if (this.#spec.kind === "text") this.#texts.putCodes(column, codes);
    else this.#putCodes(column, codes);
    return codes;
  }

  #putCodes(column: Data, codes: Int32Array): void {
    const keys = this.#keysOf(column);
    const validity = validityOf(column);
    for (let row = 0; row < codes.length; row++) {
      if (isNull(validity, row)) continue;
      codes[row] = this.#codeOf(keys[row] as Key);
    }
  }

  #keysOf(column: Data): ArrayLike<Key> {
    const { kind } = this.#spec;
    if (kind === "boolean") return booleansOf(column);
    return kind === "double" || kind === "date" ? numbersOf(column) : wholesOf(column, this.#spec);
  }

  #codeOf(key: Key | null): number {
    const known = this.#codes.get(key);
    if (known !== undefined) return known;
    const code = this.cells.length;
    checkGroups(code + 1);
    this.#codes.set(key, code);
    this.cells.push(this.#cellOf(key));
    return code;
  }

  #cellOf(key: Key | null): Cell {
    const { kind } = this.#spec;
    const isWhole = kind === "int64" || kind === "decimal" || kind === "timestamp";
    return isWhole && typeof key === "number" ? BigInt(key) : key;
  }
}

/** @throws DynamosError RESULT_TOO_LARGE */
export function checkGroups(count: number): void {
  if (count <= limits.groupsMax) return;
  const message = `more than ${limits.groupsMax} groups: group by columns with fewer values`;
  throw new DynamosError(ErrorCode.RESULT_TOO_LARGE, message);
}
