/** One algorithm over one table. */
import { ErrorCode, type Table } from "#contracts";
import type { Cell, ColumnSpec } from "#data/column-kind";
import { buildTable } from "#data/table-builder";
import type { TableView } from "#data/table-view";
import { DynamosError } from "#errors";
import type { Algorithm, Values } from "./algorithms.ts";
import type { Chosen } from "./choose-columns.ts";
import { type Group, groupRows } from "./group-rows.ts";

const decimalLimit = 10n ** 38n;
const int64Limit = 2n ** 63n;

/**
 * Columns: those grouped by, the algorithm's own (named as the algorithm), then `count`, the number
 * of values that are not null. Without groups there is one row, also over no rows at all.
 *
 * @throws DynamosError TYPE_MISMATCH when a sum has more than 38 digits
 */
export function compute(algorithm: Algorithm, { over, groupBy }: Chosen, { rows }: TableView): Table {
  const groups = groupRows(groupBy, rows).map((group) => resultOf(algorithm, over, group));
  const results = groups.map(({ result }) => result);
  const specs = groupBy.map(({ spec }) => spec);
  if (algorithm.name !== "count") specs.push(resultSpec(algorithm, over?.spec, results));
  specs.push({ name: "count", kind: "int64", title: over === undefined ? "Number of rows" : "Number of values" });
  const table = buildTable(specs);
  for (const { key, result, count } of groups) {
    table.push(algorithm.name === "count" ? [...key, count] : [...key, result, count]);
  }
  return table.finish();
}

function resultOf(algorithm: Algorithm, over: Chosen["over"], { key, rows }: Group) {
  if (over === undefined) return { key, result: null, count: BigInt(rows.length) };
  const values = valuesOf(over.spec, over.cells, rows);
  return {
    key,
    result: algorithm.name === "count" ? null : algorithm.compute(values),
    count: BigInt(values.values.length),
  };
}

/** The cells of these rows that are not null. What is not a number is only counted. */
export function valuesOf(spec: ColumnSpec, cells: readonly Cell[], rows: readonly number[]): Values {
  const present: unknown[] = [];
  for (const row of rows) {
    const cell = cells[row];
    if (cell !== null && cell !== undefined) present.push(cell);
  }
  return spec.kind === "int64" || spec.kind === "decimal"
    ? { kind: "exact", scale: spec.scale ?? 0, values: present as bigint[] }
    : { kind: "double", values: present as number[] };
}

function resultSpec(algorithm: Algorithm, over: ColumnSpec | undefined, results: readonly Cell[]): ColumnSpec {
  const type = over === undefined ? { kind: "double" as const } : algorithm.resultType(over);
  const title = over === undefined ? {} : { title: `${algorithm.name} of ${over.title ?? over.name}` };
  return { name: algorithm.name, ...wideEnough(type, results), ...title, ...(over?.unit ? { unit: over.unit } : {}) };
}

/** A sum of 64-bit numbers may need more than 64 bits. */
function wideEnough(type: Pick<ColumnSpec, "kind" | "precision" | "scale">, results: readonly Cell[]) {
  const largest = results.reduce<bigint>(
    (most, cell) => (typeof cell === "bigint" && magnitude(cell) > most ? magnitude(cell) : most),
    0n,
  );
  if (largest >= decimalLimit) {
    throw new DynamosError(ErrorCode.TYPE_MISMATCH, "a sum has more than 38 digits");
  }
  return type.kind === "int64" && largest >= int64Limit ? { kind: "decimal" as const, precision: 38, scale: 0 } : type;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}
