/** What sql-algorithm can compute over one column of one group. Nulls are skipped by the caller. */
import { ErrorCode } from "#contracts";
import type { Cell, ColumnSpec } from "#data/column-kind";
import { compareNames, listed } from "#domain/by-name";
import { DynamosError } from "#errors";
import { doubleSum, nearestDouble, sumOf } from "./exact.ts";

/** The values of a group that are not null: whole numbers of `10^-scale`, or doubles. */
export type Values =
  | { readonly kind: "exact"; readonly scale: number; readonly values: readonly bigint[] }
  | { readonly kind: "double"; readonly values: readonly number[] };

export interface Algorithm {
  readonly name: string;
  /** The type of what it computes, from the type of what it computes over. */
  readonly resultType: (over: ColumnSpec) => Pick<ColumnSpec, "kind" | "precision" | "scale">;
  /** Null where there is nothing to compute over. */
  readonly compute: (values: Values) => Cell;
  /** `count` takes any column, and rows where none is named. */
  readonly takesAnyColumn?: true;
}

const double = () => ({ kind: "double" }) as const;

const algorithms: readonly Algorithm[] = [
  { name: "average", resultType: double, compute: average },
  { name: "sum", resultType: sumType, compute: sum },
  {
    name: "count",
    resultType: () => ({ kind: "int64" }),
    compute: ({ values }) => BigInt(values.length),
    takesAnyColumn: true,
  },
  { name: "min", resultType: typeOf, compute: (values) => extreme(values, -1) },
  { name: "max", resultType: typeOf, compute: (values) => extreme(values, 1) },
  { name: "median", resultType: double, compute: median },
  { name: "standardDeviation", resultType: double, compute: standardDeviation },
];

const aliases: Readonly<Record<string, string>> = { avg: "average", mean: "average", stddev: "standardDeviation" };

/** By name in any case, or alias. @throws DynamosError UNKNOWN_ALGORITHM, which lists what there is */
export function algorithmNamed(name: string): Algorithm {
  const asked = name.toLowerCase();
  const canonical = (Object.hasOwn(aliases, asked) ? aliases[asked] : undefined) ?? asked;
  const found = algorithms.find((one) => one.name.toLowerCase() === canonical.toLowerCase());
  if (found === undefined) {
    const known = listed([...algorithms.map((one) => one.name), "averages"].sort(compareNames));
    throw new DynamosError(ErrorCode.UNKNOWN_ALGORITHM, `there is no algorithm ${name}, only ${known}`);
  }
  return found;
}

/** The double nearest to the exact mean; over doubles, the exact sum rounded and divided. */
function average(given: Values): number | null {
  const count = given.values.length;
  if (count === 0) return null;
  if (given.kind === "double") return doubleSum(given.values) / count;
  return nearestDouble(sumOf(given.values), BigInt(count) * unit(given.scale));
}

function sum(given: Values): Cell {
  if (given.values.length === 0) return null;
  return given.kind === "double" ? doubleSum(given.values) : sumOf(given.values);
}

function extreme(given: Values, sign: 1 | -1): Cell {
  let found: bigint | number | null = null;
  for (const value of given.values) {
    if (found === null || (sign > 0 ? value > found : value < found)) found = value;
  }
  return found;
}

/** The middle value, or the mean of the two in the middle. */
function median(given: Values): number | null {
  const count = given.values.length;
  if (count === 0) return null;
  const middle = count >> 1;
  if (given.kind === "double") {
    const sorted = Float64Array.from(given.values).sort();
    const upper = sorted[middle] ?? 0;
    return count % 2 === 1 ? upper : doubleSum([(sorted[middle - 1] ?? 0) / 2, upper / 2]);
  }
  const sorted = [...given.values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const upper = sorted[middle] ?? 0n;
  const lower = count % 2 === 1 ? upper : (sorted[middle - 1] ?? 0n);
  return nearestDouble(lower + upper, 2n * unit(given.scale));
}

/** Of a sample: divided by n - 1, so null for one value. The variance is exact before its root is taken. */
function standardDeviation(given: Values): number | null {
  const count = given.values.length;
  if (count < 2) return null;
  if (given.kind === "double") {
    const mean = doubleSum(given.values) / count;
    return Math.sqrt(doubleSum(given.values.map((value) => (value - mean) ** 2)) / (count - 1));
  }
  const total = sumOf(given.values);
  const squares = sumOf(given.values.map((value) => value * value));
  const n = BigInt(count);
  return Math.sqrt(nearestDouble(n * squares - total * total, n * (n - 1n) * unit(given.scale) ** 2n));
}

function typeOf({ kind, precision, scale }: ColumnSpec) {
  return { kind, ...(precision === undefined ? {} : { precision }), ...(scale === undefined ? {} : { scale }) };
}

function sumType(over: ColumnSpec) {
  return over.kind === "decimal" ? { kind: over.kind, precision: 38, scale: over.scale ?? 0 } : typeOf(over);
}

function unit(scale: number): bigint {
  return 10n ** BigInt(scale);
}
