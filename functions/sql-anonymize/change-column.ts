/** What a rule makes of a column, from memory to memory. */
import type { Data } from "apache-arrow";
import type { ColumnSpec } from "#data/column-kind";
import { columnOf } from "#data/column-memory";
import { hasValueAt } from "#data/column-values";
import { bitAt, setBit } from "#data/validity-bits";
import type { YearColumn } from "./year-of.ts";

const maskByte = 0x2a;
const maskLength = 3;
const yearLength = 4;

/** Every value becomes `***`; null stays null. */
export function masked(column: Data, to: ColumnSpec): Data {
  const { length: rows, nullCount, nullBitmap } = column;
  const hasValue = hasValueAt(column);
  const offsets = new Int32Array(rows + 1);
  for (let row = 0; row < rows; row++) offsets[row + 1] = (offsets[row] as number) + (hasValue(row) ? maskLength : 0);
  const values = new Uint8Array(offsets[rows] as number).fill(maskByte);
  return columnOf(to, { rows, nullCount, validity: nullBitmap, values, offsets });
}

/** Every value becomes its year, and null where it has none. */
export function cutToYear(column: Data, to: ColumnSpec, { yearAt }: YearColumn): Data {
  const { length: rows } = column;
  const hasValue = hasValueAt(column);
  const year = yearAt(column);
  const years = new Int32Array(rows * 2);
  const validity = new Uint8Array((rows + 7) >> 3);
  let nullCount = 0;
  for (let row = 0; row < rows; row++) {
    const value = hasValue(row) ? year(row) : null;
    if (value === null) {
      nullCount += 1;
      continue;
    }
    setBit(validity, row);
    years[row * 2] = value;
    years[row * 2 + 1] = value < 0 ? -1 : 0;
  }
  const common = { rows, nullCount, validity };
  if (to.kind === "text") return columnOf(to, { ...common, ...yearTexts(years, validity, rows) });
  return columnOf(to, { ...common, values: new Uint8Array(years.buffer) });
}

function yearTexts(years: Int32Array, validity: Uint8Array, rows: number) {
  const offsets = new Int32Array(rows + 1);
  const values = new Uint8Array(rows * yearLength);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    if (bitAt(validity, row)) {
      let rest = years[row * 2] as number;
      for (let digit = yearLength - 1; digit >= 0; digit--) {
        values[at + digit] = 0x30 + (rest % 10);
        rest = Math.floor(rest / 10);
      }
      at += yearLength;
    }
    offsets[row + 1] = at;
  }
  return { offsets, values: values.subarray(0, at) };
}
