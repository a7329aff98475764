/** A date of any type cut to its year. */
import type { Cell, ColumnSpec } from "#data/column-kind";

export interface YearColumn {
  /** What the column becomes: a text stays a text, everything else is a whole number. */
  readonly kind: "text" | "int64";
  /** Null for what is not a date: it is never passed through. */
  readonly yearOf: (cell: Exclude<Cell, null>) => string | bigint | null;
}

const isoText = /^([0-9]{4})-[0-9]{2}-[0-9]{2}(?:[T ].*)?$/s;
const compactText = /^([0-9]{4})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$/;
const yearText = /^[0-9]{4}$/;
const millisPerDay = 86_400_000;
const microsPerDay = 86_400_000_000n;

/**
 * Whole numbers and texts may be `yyyymmdd`, texts also ISO 8601; a year stays as it is, so that
 * a second time changes nothing.
 *
 * @returns undefined for a type that can't hold a date
 */
export function yearColumn({ kind, scale }: ColumnSpec): YearColumn | undefined {
  switch (kind) {
    case "date":
      return { kind: "int64", yearOf: (cell) => yearOfDay(Number(cell)) };
    case "timestamp":
      return { kind: "int64", yearOf: (cell) => yearOfDay(Number(floorDivide(BigInt(cell), microsPerDay))) };
    case "text":
      return { kind: "text", yearOf: (cell) => yearInText(String(cell)) };
    case "int64":
      return { kind: "int64", yearOf: yearInNumber };
    case "decimal":
      return scale === 0 ? { kind: "int64", yearOf: yearInNumber } : undefined;
    default:
      return undefined;
  }
}

function yearOfDay(days: number): bigint | null {
  const year = new Date(days * millisPerDay).getUTCFullYear();
  return Number.isNaN(year) ? null : BigInt(year);
}

function yearInText(text: string): string | null {
  if (yearText.test(text)) return text;
  return (isoText.exec(text) ?? compactText.exec(text))?.[1] ?? null;
}

function yearInNumber(cell: Exclude<Cell, null>): bigint | null {
  const year = yearInText(String(cell));
  return year === null ? null : BigInt(year);
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}
