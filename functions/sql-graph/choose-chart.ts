/** Which chart fits a table. */
import { isNumeric } from "#data/column-kind";
import { findColumn } from "#data/find-column";
import type { TableNotes } from "#data/table-notes";
import type { ColumnView, TableView } from "#data/table-view";
import { limits } from "#domain/limits";
import { axisOf, positionsOf } from "./cell-values.ts";
import type { Chart } from "./chart.ts";
import { countChart } from "./count-chart.ts";
import { groupedChart } from "./grouped-chart.ts";
import { histogram } from "./histogram.ts";
import { lineChart } from "./line-chart.ts";
import { withoutSmallBars } from "./small-bars.ts";

/** Fewer than these positions are compared rather than followed: bars show that better. */
const linePointsMin = 4;
const groupColumnsMax = 3;

/**
 * The result of an algorithm: a line over dates or numbers, else bars by group. Rows: the same where
 * each group has one row, a histogram of the measure or the only number, or a count of each value.
 *
 * @param least rows that a bar must stand for where rows are counted; 0: any number
 */
export function chooseChart(view: TableView, notes: TableNotes, least: number): Chart {
  const computed = notes.algorithm && findColumn(view.columns, notes.algorithm.name);
  if (computed !== undefined) {
    const groups = view.columns.filter((column) => column !== computed && column.spec.name !== "count");
    return valueChart(computed, groups, view.rows);
  }
  const value = valueColumn(view, notes);
  if (value === undefined) return withoutSmallBars(countChart(view), least);
  const groups = view.columns.filter((column) => column !== value);
  return isOneRowAGroup(groups, view.rows)
    ? valueChart(value, groups, view.rows)
    : withoutSmallBars(histogram(value, categoryOf(groups)), least);
}

function valueChart(value: ColumnView, groups: readonly ColumnView[], rows: number): Chart {
  const [first, ...others] = groups;
  const positions = first && positionsOf(first);
  const distinct = new Set(positions?.values.filter((position) => position !== null)).size;
  const title = titleOf(value, groups);
  if (first !== undefined && positions !== undefined && distinct >= linePointsMin) {
    return lineChart({ title, value, x: axisOf(first.spec), positions, others });
  }
  return groupedChart({ title, value, groups, rows });
}

function titleOf({ spec }: ColumnView, groups: readonly ColumnView[]): string {
  const by = groups.map((group) => axisOf(group.spec).title).join(" and ");
  const subject = axisOf(spec).title;
  // A title is a phrase and may begin a sentence; a name is a name.
  const start = spec.title ? `${subject.charAt(0).toUpperCase()}${subject.slice(1)}` : subject;
  return `${start}${by === "" ? "" : ` by ${by}`}`;
}

/** The data set's measure, or the only number that is neither a date nor alone among dates. */
function valueColumn({ columns }: TableView, { measure }: TableNotes): ColumnView | undefined {
  const measured = measure && findColumn(columns, measure.column);
  if (measured !== undefined && isNumeric(measured.spec)) return measured;
  const numeric = columns.filter((column) => isNumeric(column.spec));
  const undated = numeric.filter((column) => !(positionsOf(column)?.isDate ?? false));
  const [only, second] = undated.length > 0 ? undated : numeric;
  return second === undefined ? only : undefined;
}

function categoryOf(groups: readonly ColumnView[]): ColumnView | undefined {
  return groups.find(({ spec }) => spec.kind === "text" || spec.kind === "boolean");
}

/** Rows that are results already. Many rows told apart only by a number, such as a person's, are not. */
function isOneRowAGroup(groups: readonly ColumnView[], rows: number): boolean {
  if (groups.length === 0 || groups.length > groupColumnsMax || !areUnique(groups, rows)) return false;
  return rows <= limits.chartBarsMax || groups.every((group) => positionsOf(group)?.isDate ?? true);
}

function areUnique(groups: readonly ColumnView[], rows: number): boolean {
  const seen = new Set<string>();
  for (let row = 0; row < rows; row += 1) {
    seen.add(JSON.stringify(groups.map(({ cells }) => String(cells[row]))));
    if (seen.size <= row) return false;
  }
  return true;
}
