/** What sql-algorithm can compute over one column of one group. */
import { ErrorCode } from "#contracts";
import type { ColumnSpec } from "#data/column-kind";
import { compareNames, listed } from "#domain/by-name";
import { DynamosError } from "#errors";
import { type Accumulator, average, extreme, median, nothing, standardDeviation, sum } from "./accumulators.ts";

export interface Algorithm {
  readonly name: string;
  /** The type of what it computes, from the type of what it computes over. */
  readonly resultType: (over: ColumnSpec) => Pick<ColumnSpec, "kind" | "precision" | "scale">;
  /** For one group. */
  readonly start: (over: ColumnSpec) => Accumulator;
  /** `count` takes any column, and rows where none is named. */
  readonly takesAnyColumn?: true;
}

const double = () => ({ kind: "double" }) as const;

const algorithms: readonly Algorithm[] = [
  { name: "average", resultType: double, start: average },
  { name: "sum", resultType: sumType, start: sum },
  { name: "count", resultType: () => ({ kind: "int64" }), start: nothing, takesAnyColumn: true },
  { name: "min", resultType: typeOf, start: (over) => extreme(-1, over) },
  { name: "max", resultType: typeOf, start: (over) => extreme(1, over) },
  { name: "median", resultType: double, start: median },
  { name: "standardDeviation", resultType: double, start: standardDeviation },
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

function typeOf({ kind, precision, scale }: ColumnSpec) {
  return { kind, ...(precision === undefined ? {} : { precision }), ...(scale === undefined ? {} : { scale }) };
}

function sumType(over: ColumnSpec) {
  return over.kind === "decimal" ? { kind: over.kind, precision: 38, scale: over.scale ?? 0 } : typeOf(over);
}
