/** What an algorithm keeps of a group's values, one by one, and what it makes of them in the end. */
import type { Data } from "apache-arrow";
import type { Cell, ColumnSpec } from "#data/column-kind";
import { numbersOf, type Whole, wholesOf } from "#data/column-values";
import { DoubleSum, doubleSum, nearestDouble } from "./exact.ts";
import { DoubleStore, IntegerStore } from "./value-store.ts";

export interface Accumulator {
  /** @param value of a row that has one; over doubles a number, else a whole one */
  add(value: Whole): void;
  /** @param count of the values added; null where there is nothing to compute over */
  result(count: number): Cell;
}

/** Whole numbers of `10^-scale`, for columns of whole numbers and decimals; else doubles. */
export function isExact({ kind }: ColumnSpec): boolean {
  return kind === "int64" || kind === "decimal";
}

/** What is added, of all rows; what lies under a null may be anything. */
export function measuresOf(column: Data, spec: ColumnSpec): ArrayLike<Whole> {
  return isExact(spec) ? wholesOf(column, spec) : numbersOf(column);
}

const exactMax = 2 ** 53;
const exactRoot = 2 ** 26;

export function unit(scale: number): bigint {
  return 10n ** BigInt(scale);
}

/** Counts in numbers for as long as they are exact, which is many times faster. */
export function exactTotal() {
  let total = 0n;
  let small = 0;
  const add = (value: Whole) => {
    if (typeof value === "bigint") {
      total += value;
      return;
    }
    const sum = small + value;
    // One that was rounded is not below.
    if (sum > -exactMax && sum < exactMax) small = sum;
    else {
      total += BigInt(small);
      small = value;
    }
  };
  return { add, total: () => total + BigInt(small) };
}

export function sum(over: ColumnSpec): Accumulator {
  if (isExact(over)) {
    const { add, total } = exactTotal();
    return { add, result: (count) => (count === 0 ? null : total()) };
  }
  const values = new DoubleSum();
  return { add: (value) => values.add(value as number), result: (count) => (count === 0 ? null : values.total) };
}

/** The double nearest to the exact mean; over doubles, the exact sum rounded and divided. */
export function average(over: ColumnSpec): Accumulator {
  if (isExact(over)) {
    const { add, total } = exactTotal();
    const divisor = unit(over.scale ?? 0);
    return { add, result: (count) => (count === 0 ? null : nearestDouble(total(), BigInt(count) * divisor)) };
  }
  const values = new DoubleSum();
  return {
    add: (value) => values.add(value as number),
    result: (count) => (count === 0 ? null : values.total / count),
  };
}

export function extreme(sign: 1 | -1, over: ColumnSpec): Accumulator {
  let found: Whole | null = null;
  return {
    add: (value) => {
      if (found === null || (sign > 0 ? value > found : value < found)) found = value;
    },
    result: () => (found !== null && isExact(over) ? BigInt(found) : found),
  };
}

/** The middle value, or the mean of the two in the middle. */
export function median(over: ColumnSpec): Accumulator {
  if (!isExact(over)) {
    const store = new DoubleStore();
    return { add: (value) => store.push(value as number), result: (count) => middleDouble(store.sorted(), count) };
  }
  const store = new IntegerStore();
  const divisor = 2n * unit(over.scale ?? 0);
  return {
    add: (value) => store.push(value),
    result: (count) => {
      if (count === 0) return null;
      const at = store.sorted();
      return nearestDouble(at((count - 1) >> 1) + at(count >> 1), divisor);
    },
  };
}

function middleDouble(sorted: Float64Array, count: number): number | null {
  if (count === 0) return null;
  const upper = sorted[count >> 1] ?? 0;
  return count % 2 === 1 ? upper : doubleSum([(sorted[(count >> 1) - 1] ?? 0) / 2, upper / 2]);
}

/** Of a sample: divided by n - 1, so null for one value. The variance is exact before its root is taken. */
export function standardDeviation(over: ColumnSpec): Accumulator {
  return isExact(over) ? exactDeviation(over.scale ?? 0) : doubleDeviation();
}

function exactDeviation(scale: number): Accumulator {
  const values = exactTotal();
  const squares = exactTotal();
  return {
    add: (value) => {
      values.add(value);
      squares.add(square(value));
    },
    result: (count) => {
      if (count < 2) return null;
      const n = BigInt(count);
      const variance = nearestDouble(n * squares.total() - values.total() ** 2n, n * (n - 1n) * unit(scale) ** 2n);
      return Math.sqrt(variance);
    },
  };
}

function square(value: Whole): Whole {
  if (typeof value === "number" && Math.abs(value) <= exactRoot) return value * value;
  return BigInt(value) ** 2n;
}

function doubleDeviation(): Accumulator {
  const store = new DoubleStore();
  return {
    add: (value) => store.push(value as number),
    result: (count) => {
      if (count < 2) return null;
      const values = store.sorted();
      const mean = doubleSum(values) / count;
      return Math.sqrt(doubleSum(values.map((value) => (value - mean) ** 2)) / (count - 1));
    },
  };
}

/** Of what is only counted. */
export function nothing(): Accumulator {
  return { add: () => {}, result: () => null };
}
