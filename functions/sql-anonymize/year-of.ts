/** A date of any type cut to its year. */
import type { Data } from "apache-arrow";
import type { ColumnSpec } from "#data/column-kind";
import { numberAt, wholeAt } from "#data/column-values";

export interface YearColumn {
  /** What the column becomes: a text stays a text, everything else is a whole number. */
  readonly kind: "text" | "int64";
  /**
   * Of a row that has a value. Null for what is not a date: it is never passed through.
   */
  readonly yearAt: (column: Data) => (row: number) => number | null;
}

const millisPerDay = 86_400_000;
const microsPerDay = 86_400_000_000;
const microsPerDayExact = 86_400_000_000n;
const [zero, nine, dash] = [0x30, 0x39, 0x2d];
/** `T` and a space. */
const beforeTime: readonly (number | undefined)[] = [0x54, 0x20];

/**
 * Whole numbers and texts may be `yyyymmdd`, texts also ISO 8601; a year stays as it is, so that
 * a second time changes nothing.
 *
 * @returns undefined for a type that can't hold a date
 */
export function yearColumn(spec: ColumnSpec): YearColumn | undefined {
  switch (spec.kind) {
    case "date":
      return { kind: "int64", yearAt: (column) => after(numberAt(column), yearOfDay) };
    case "timestamp":
      return { kind: "int64", yearAt: (column) => after(wholeAt(column, spec), yearOfMicros) };
    case "text":
      return { kind: "text", yearAt: yearInText };
    case "int64":
      return { kind: "int64", yearAt: (column) => after(wholeAt(column, spec), yearInNumber) };
    case "decimal":
      return spec.scale === 0
        ? { kind: "int64", yearAt: (column) => after(wholeAt(column, spec), yearInNumber) }
        : undefined;
    default:
      return undefined;
  }
}

function after<Value>(valueAt: (row: number) => Value, change: (value: Value) => number | null) {
  return (row: number) => change(valueAt(row));
}

function yearOfDay(days: number): number | null {
  const year = new Date(days * millisPerDay).getUTCFullYear();
  return Number.isNaN(year) ? null : year;
}

function yearOfMicros(micros: number | bigint): number | null {
  if (typeof micros === "number") return yearOfDay(Math.floor(micros / microsPerDay));
  const days = micros / microsPerDayExact;
  return yearOfDay(Number(micros % microsPerDayExact < 0n ? days - 1n : days));
}

function yearInNumber(value: number | bigint): number | null {
  if (typeof value === "bigint") return null;
  if (value >= 1_000 && value <= 9_999) return value;
  if (value < 10_000_000 || value > 99_999_999) return null;
  return isDay(Math.floor(value / 100) % 100, value % 100) ? Math.floor(value / 10_000) : null;
}

function isDay(month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/** `1990`, `19900101`, `1990-01-01`, and the last with `T` or a space and anything. */
function yearInText({ values, valueOffsets }: Data): (row: number) => number | null {
  const bytes = values as Uint8Array;
  return (row) => {
    const from = valueOffsets[row] as number;
    const length = (valueOffsets[row + 1] as number) - from;
    const year = digits(bytes, from, 4);
    if (length < 4 || year === null || length === 4) return length === 4 ? year : null;
    if (length === 8) {
      const [month, day] = [digits(bytes, from + 4, 2), digits(bytes, from + 6, 2)];
      return month !== null && day !== null && isDay(month, day) ? year : null;
    }
    if (length < 10 || bytes[from + 4] !== dash || bytes[from + 7] !== dash) return null;
    if (digits(bytes, from + 5, 2) === null || digits(bytes, from + 8, 2) === null) return null;
    return length === 10 || beforeTime.includes(bytes[from + 10]) ? year : null;
  };
}

function digits(bytes: Uint8Array, from: number, count: number): number | null {
  let value = 0;
  for (let at = from; at < from + count; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < zero || byte > nine) return null;
    value = value * 10 + byte - zero;
  }
  return value;
}
