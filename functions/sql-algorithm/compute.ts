/** One algorithm over one table. */
import { ErrorCode, type Table } from "#contracts";
import type { Cell, ColumnSpec } from "#data/column-kind";
import { isNull, validityOf, type Whole } from "#data/column-values";
import { buildTable } from "#data/table-builder";
import type { TableNotes } from "#data/table-notes";
import type { BitsPlace } from "#data/validity-bits";
import { DynamosError } from "#errors";
import { type Accumulator, measuresOf } from "./accumulators.ts";
import type { Algorithm } from "./algorithms.ts";
import type { Chosen } from "./choose-columns.ts";
import { Groups } from "./group-rows.ts";
import type { BatchConsumer } from "./read-columns.ts";

const decimalLimit = 10n ** 38n;
const int64Limit = 2n ** 63n;

interface Kept {
  readonly values: Accumulator;
  count: number;
}

export interface Computed {
  /** @param notes what it takes along */
  table(notes: TableNotes): Table;
  /** Groups of fewer values than there must be. */
  readonly leftOut: number;
  /** Of all groups. */
  readonly values: number;
}

export interface Computation extends BatchConsumer {
  /**
   * Columns: those grouped by, the algorithm's own (named as the algorithm), then `count`, the number
   * of values that are not null. Without groups there is one row, also over no rows at all.
   *
   * @throws DynamosError TYPE_MISMATCH when a sum has more than 38 digits
   */
  finish(): Computed;
}

/** @param least values that a group must have to be told of; 0: any group is */
export function computation(algorithm: Algorithm, { over, groupBy }: Chosen, least: number): Computation {
  const spec = over?.spec ?? noColumn;
  const groups = new Groups<Kept>(
    groupBy.map((column) => column.spec),
    () => ({ values: algorithm.start(spec), count: 0 }),
  );

  function finish(): Computed {
    const all = groups.sorted();
    const told = all.filter(({ kept }) => kept.count >= least);
    const done = told.map(({ key, kept: { values, count } }) => ({
      key,
      result: values.result(count),
      count: BigInt(count),
    }));
    const results = done.map(({ result }) => result);
    const specs = groupBy.map((column) => column.spec);
    if (algorithm.name !== "count") specs.push(resultSpec(algorithm, over?.spec, results));
    specs.push({ name: "count", kind: "int64", title: over === undefined ? "Number of rows" : "Number of values" });
    const table = buildTable(specs);
    for (const { key, result, count } of done) {
      table.push(algorithm.name === "count" ? [...key, count] : [...key, result, count]);
    }
    const values = all.reduce((sum, { kept }) => sum + kept.count, 0);
    return { table: table.finish, leftOut: all.length - told.length, values };
  }

  return {
    columns: [...groupBy, ...(over === undefined ? [] : [over])],
    /** @param given the columns grouped by, then the one that is computed over */
    take: (rows, given) => {
      const column = given[groupBy.length];
      const values = column === undefined || algorithm.takesAnyColumn ? undefined : measuresOf(column, spec);
      addRows(groups, groups.placesOf(given, rows), column && validityOf(column), values);
    },
    finish,
  };
}

/** @param values absent: they are counted only */
function addRows(
  { kept }: Groups<Kept>,
  places: Int32Array,
  validity: BitsPlace | undefined,
  values: ArrayLike<Whole> | undefined,
): void {
  for (let row = 0; row < places.length; row += 1) {
    if (isNull(validity, row)) continue;
    const group = kept[places[row] as number] as Kept;
    group.count += 1;
    if (values !== undefined) group.values.add(values[row] as Whole);
  }
}

/** Rows are counted: nothing is computed over. */
const noColumn: ColumnSpec = { name: "", kind: "int64" };

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
