/** A column in the wider type that the union has, from memory to memory. */
import type { Data } from "apache-arrow";
import { ColumnBuffer } from "#data/column-buffer";
import type { ColumnSpec } from "#data/column-kind";
import { columnOf } from "#data/column-memory";
import { hasValueAt, type Whole, wholeAt } from "#data/column-values";

const wordRange = 2 ** 32;
const exactMax = 2 ** 53;

/** Whole numbers and decimals, and columns without values, which have the wrong type at most in name. */
export function widenedColumn(column: Data, from: ColumnSpec, to: ColumnSpec): Data {
  if (column.nullCount === column.length) return nulls(column.length, to);
  if (to.kind !== "decimal") throw new RangeError(`${from.name} can't become ${to.kind}`);
  const { length: rows, nullCount, nullBitmap } = column;
  const factor = 10 ** digitsMore(from, to);
  const exactFactor = 10n ** BigInt(digitsMore(from, to));
  const hasValue = hasValueAt(column);
  const value = wholeAt(column, from);
  const words = new Int32Array(rows * 4);
  for (let row = 0; row < rows; row++) {
    if (!hasValue(row)) continue;
    const given = value(row);
    const product = typeof given === "number" ? given * factor : exactMax;
    write(words, row * 4, Math.abs(product) < exactMax ? product : BigInt(given) * exactFactor);
  }
  return columnOf(to, { rows, nullCount, validity: nullBitmap, values: new Uint8Array(words.buffer) });
}

function nulls(rows: number, to: ColumnSpec): Data {
  const buffer = new ColumnBuffer(to);
  for (let row = 0; row < rows; row++) buffer.push(null);
  return buffer.take();
}

/** What an unscaled value gets when its column gets more digits after the point. */
function digitsMore(from: ColumnSpec, to: ColumnSpec): number {
  return (to.scale ?? 0) - (from.kind === "decimal" ? (from.scale ?? 0) : 0);
}

/** Two's complement, 128 bits, little endian. */
function write(words: Int32Array, at: number, value: Whole): void {
  if (typeof value === "number") {
    const sign = value < 0 ? -1 : 0;
    words[at] = value;
    words[at + 1] = Math.floor(value / wordRange);
    words.fill(sign, at + 2, at + 4);
    return;
  }
  for (let word = 0; word < 4; word++) words[at + word] = Number(BigInt.asIntN(32, value >> BigInt(32 * word)));
}
