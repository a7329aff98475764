/** One column by its rule. What the rule can't be applied to does not go on. */
import type { Cell, ColumnSpec } from "#data/column-kind";
import type { ColumnView } from "#data/table-view";
import { yearColumn } from "./year-of.ts";

export interface Anonymized {
  /** Absent: the column is left out. */
  readonly column?: ColumnView;
  /** For the asker: what was done. Holds no value. */
  readonly remark?: string;
}

const maskText = "***";

/**
 * - `year`: dates become their year, of the same kind (`yyyymmdd` 19900101 → 1990, text → text;
 *   DATE and TIMESTAMP → whole number). A value that is no date becomes null; a column without any date is left out.
 * - `mask`: every value, of any type, becomes the text `***`; null stays null.
 * - `drop`: the column is left out; so it is for a rule that nobody knows.
 */
export function anonymizeColumn(column: ColumnView, rule: string): Anonymized {
  const { name } = column.spec;
  switch (rule) {
    case "":
      return { column };
    case "year":
      return toYear(column);
    case "mask":
      return {
        column: changed(column, { kind: "text", anonymized: rule }, (cell) => (cell === null ? null : maskText)),
        remark: `${name} is masked`,
      };
    case "drop":
      return { remark: `${name} is left out` };
    default:
      return { remark: `${name} is left out: its rule ${rule} is not known` };
  }
}

function toYear(column: ColumnView): Anonymized {
  const { name, kind, title } = column.spec;
  const year = yearColumn(column.spec);
  if (year === undefined) {
    return { remark: `${name} is left out: a column of type ${kind} can't be cut to the year` };
  }
  const described = { kind: year.kind, anonymized: "year", ...(title ? { title: `${title} (year)` } : {}) };
  const cut = changed(column, described, (cell) => (cell === null ? null : year.yearOf(cell)));
  const before = filledCells(column);
  const after = filledCells(cut);
  if (before > 0 && after === 0) {
    return { remark: `${name} is left out: none of its values is a date` };
  }
  const lost = before === after ? "" : "; values that are no dates are null";
  return { column: cut, remark: `${name} is cut to the year${lost}` };
}

function changed(
  { spec, cells }: ColumnView,
  change: Pick<ColumnSpec, "kind" | "anonymized"> & { title?: string },
  convert: (cell: Cell) => Cell,
): ColumnView {
  const { name, title, unit } = spec;
  const described = { ...(title ? { title } : {}), ...(unit ? { unit } : {}) };
  return { spec: { name, ...described, ...change }, cells: cells.map(convert) };
}

function filledCells({ cells }: ColumnView): number {
  return cells.reduce((count: number, cell) => (cell === null ? count : count + 1), 0);
}
