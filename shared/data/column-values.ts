/** The values of a column, read from its memory where they lie. For rows that have one: what lies under a null may be anything. */
import { isAscii } from "node:buffer";
import type { Data } from "apache-arrow";
import type { Cell, ColumnSpec } from "./column-kind.ts";
import { type BitsPlace, bitAt } from "./validity-bits.ts";

/** A whole number as cheaply as it is had exactly: a bigint only beyond ±2^53. */
export type Whole = number | bigint;

type ValueAt<Value> = (row: number) => Value;

const wordRange = 2 ** 32;
/** Of a number's upper 32 bits, when all 64 fit a double. */
const upperMax = 2 ** 21;

export function hasValueAt(column: Data): ValueAt<boolean> {
  const validity = validityOf(column);
  return (row) => !isNull(validity, row);
}

/** @returns undefined: all rows have a value */
export function validityOf({ nullCount, nullBitmap, offset }: Data): BitsPlace | undefined {
  return nullCount === 0 ? undefined : { bits: nullBitmap, at: offset };
}

/** @param validity what `validityOf` gave */
export function isNull(validity: BitsPlace | undefined, row: number): boolean {
  return validity !== undefined && !bitAt(validity.bits, validity.at + row);
}

/** `wholeAt` of all rows, without a call for each: a process that sees few rows is slow at calls. */
export function wholesOf(column: Data, spec: ColumnSpec): ArrayLike<Whole> {
  const numbers = spec.kind === "decimal" ? undefined : numbers64(column);
  return numbers ?? allOf(column, wholeAt(column, spec));
}

/** `numberAt` of all rows. */
export function numbersOf(column: Data): ArrayLike<number> {
  return column.values as Float64Array | Int32Array;
}

/** `booleanAt` of all rows. */
export function booleansOf(column: Data): ArrayLike<boolean> {
  return allOf(column, booleanAt(column));
}

function allOf<Value>({ length }: Data, valueAt: ValueAt<Value>): Value[] {
  return Array.from({ length }, (_, row) => valueAt(row));
}

/** @returns undefined: one of them does not fit a double */
function numbers64({ values, length }: Data): Float64Array | undefined {
  const { buffer, byteOffset } = values as BigInt64Array;
  const words = new Int32Array(buffer, byteOffset, length * 2);
  const numbers = new Float64Array(length);
  for (let row = 0; row < length; row++) {
    const upper = words[row * 2 + 1] as number;
    if (upper >= upperMax || upper < -upperMax) return undefined;
    numbers[row] = upper * wordRange + ((words[row * 2] as number) >>> 0);
  }
  return numbers;
}

/** Of whole numbers, timestamps (microseconds) and decimals (unscaled). */
export function wholeAt(column: Data, { kind }: ColumnSpec): ValueAt<Whole> {
  return kind === "decimal" ? whole128At(column.values as Uint32Array) : whole64At(column.values as BigInt64Array);
}

/** Of doubles and dates (days since the epoch). */
export function numberAt(column: Data): ValueAt<number> {
  const values = column.values as Float64Array | Int32Array;
  return (row) => values[row] as number;
}

export function booleanAt({ values, offset }: Data): ValueAt<boolean> {
  return (row) => bitAt(values as Uint8Array, offset + row);
}

/** Makes a string of each that is asked for; of all at once, where bytes are characters. */
export function textAt({ values, valueOffsets, length }: Data): ValueAt<string> {
  const { buffer, byteOffset } = values as Uint8Array;
  const [first, end] = [valueOffsets[0] ?? 0, valueOffsets[length] ?? 0];
  const bytes = Buffer.from(buffer, byteOffset + first, end - first);
  const from = (row: number) => (valueOffsets[row] as number) - first;
  if (!isAscii(bytes)) return (row) => bytes.toString("utf8", from(row), from(row + 1));
  const all = bytes.toString("latin1");
  return (row) => all.slice(from(row), from(row + 1));
}

/** Null where there is none. */
export function cellAt(column: Data, spec: ColumnSpec): ValueAt<Cell> {
  const value = valueAt(column, spec);
  if (column.nullCount === 0) return value;
  const hasValue = hasValueAt(column);
  return (row) => (hasValue(row) ? value(row) : null);
}

function valueAt(column: Data, spec: ColumnSpec): ValueAt<Exclude<Cell, null>> {
  switch (spec.kind) {
    case "int64":
    case "timestamp": {
      const values = column.values as BigInt64Array;
      return (row) => values[row] as bigint;
    }
    case "decimal": {
      const whole = wholeAt(column, spec);
      return (row) => BigInt(whole(row));
    }
    case "double":
    case "date":
      return numberAt(column);
    case "boolean":
      return booleanAt(column);
    case "text":
      return textAt(column);
  }
}

function whole64At(values: BigInt64Array): ValueAt<Whole> {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  return (row) => {
    const upper = words[row * 2 + 1] as number;
    if (upper >= upperMax || upper < -upperMax) return values[row] as bigint;
    return upper * wordRange + ((words[row * 2] as number) >>> 0);
  };
}

function whole128At({ buffer, byteOffset, length }: Uint32Array): ValueAt<Whole> {
  const words = new Int32Array(buffer, byteOffset, length);
  return (row) => {
    const at = row * 4;
    const upper = words[at + 1] as number;
    const sign = upper >> 31;
    const isSmall = words[at + 2] === sign && words[at + 3] === sign && upper < upperMax && upper >= -upperMax;
    return isSmall ? upper * wordRange + ((words[at] as number) >>> 0) : decimalAt(words, at);
  };
}

function decimalAt(words: Int32Array, at: number): bigint {
  let value = 0n;
  for (let word = 3; word >= 0; word--) value = (value << 32n) | BigInt((words[at + word] as number) >>> 0);
  return BigInt.asIntN(128, value);
}
