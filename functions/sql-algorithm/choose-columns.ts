/** What an algorithm computes over, and grouped by what: as asked, else the data set's measure, else the only numeric column. */
import { type Algorithm as Asked, ErrorCode } from "#contracts";
import { isNumeric, kindText } from "#data/column-kind";
import { columnNamed, findColumn } from "#data/find-column";
import type { TableNotes } from "#data/table-notes";
import { listed } from "#domain/by-name";
import { DynamosError } from "#errors";
import type { Algorithm } from "./algorithms.ts";
import type { PlacedColumn } from "./read-columns.ts";

export interface Chosen {
  /** Absent: rows are counted. */
  readonly over: PlacedColumn | undefined;
  readonly groupBy: readonly PlacedColumn[];
}

/**
 * The measure's groups are taken only with its column, and only where the result has them.
 *
 * @throws DynamosError UNKNOWN_COLUMN, TYPE_MISMATCH
 */
export function chooseColumns(
  algorithm: Algorithm,
  asked: Asked,
  columns: readonly PlacedColumn[],
  measure: TableNotes["measure"],
): Chosen {
  const groupBy = asked.groupBy.map((name) => columnNamed(columns, name));
  if (asked.column !== "") {
    return { over: fitting(algorithm, columnNamed(columns, asked.column)), groupBy: once(groupBy) };
  }
  const measured = measure && findColumn(columns, measure.column);
  if (measure !== undefined && measured !== undefined) {
    const usual = measure.groupBy.flatMap((name) => findColumn(columns, name) ?? []);
    return { over: fitting(algorithm, measured), groupBy: once(groupBy.length > 0 ? groupBy : usual) };
  }
  return { over: algorithm.takesAnyColumn ? undefined : onlyNumeric(columns, groupBy), groupBy: once(groupBy) };
}

function onlyNumeric(columns: readonly PlacedColumn[], groupBy: readonly PlacedColumn[]): PlacedColumn {
  const numeric = columns.filter((column) => isNumeric(column.spec) && !groupBy.includes(column));
  const [only, second] = numeric;
  if (only !== undefined && second === undefined) return only;
  const names = listed(numeric.map(({ spec }) => spec.name));
  const message =
    only === undefined
      ? "the result has no numeric column to compute over"
      : `several columns are numeric: ${names}; name one as the algorithm's column`;
  throw new DynamosError(ErrorCode.UNKNOWN_COLUMN, message);
}

function fitting(algorithm: Algorithm, column: PlacedColumn): PlacedColumn {
  if (algorithm.takesAnyColumn || isNumeric(column.spec)) return column;
  const message = `${algorithm.name} needs numbers, and the column ${column.spec.name} is ${kindText(column.spec)}`;
  throw new DynamosError(ErrorCode.TYPE_MISMATCH, message);
}

function once(columns: readonly PlacedColumn[]): PlacedColumn[] {
  return [...new Set(columns)];
}
