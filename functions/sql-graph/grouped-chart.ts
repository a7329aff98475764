/** Bars: a group of them for each value of the first column, one colour for each value of the others. */
import type { ColumnView } from "#data/table-view";
import { limits } from "#domain/limits";
import { axisOf, labelOf, numberOf } from "./cell-values.ts";
import type { BarChart, Series } from "./chart.ts";

export interface GroupedOptions {
  readonly title: string;
  readonly value: ColumnView;
  readonly groups: readonly ColumnView[];
  readonly rows: number;
}

export function groupedChart({ title, value, groups, rows }: GroupedOptions): BarChart {
  const [first, ...others] = groups;
  const seriesNames = distinct(rows, (row) => labels(others, row));
  const isGrouped = first !== undefined && seriesNames.length > 1 && seriesNames.length <= limits.chartSeriesMax;
  const categoryColumns = isGrouped ? [first] : groups;
  const categories = distinct(rows, (row) => labels(categoryColumns, row));
  const names = isGrouped ? seriesNames : [""];
  const place = new Map(categories.map((category, index) => [category, index]));
  const values = new Map(names.map((name) => [name, new Array<number | null>(categories.length).fill(null)]));
  for (let row = 0; row < rows; row += 1) {
    const column = values.get(isGrouped ? labels(others, row) : "");
    const index = place.get(labels(categoryColumns, row));
    if (column !== undefined && index !== undefined) column[index] = numberOf(value.cells[row] ?? null, value.spec);
  }
  const x = { title: categoryColumns.map(({ spec }) => axisOf(spec).title).join(separator), unit: "" };
  const series = names.map((name) => ({ name, values: values.get(name) ?? [] }));
  return topBars({ kind: "bars", title, x, y: axisOf(value.spec), categories, series, note: "" });
}

const separator = " · ";

function labels(columns: readonly ColumnView[], row: number): string {
  return columns.length === 0
    ? "all"
    : columns.map(({ cells, spec }) => labelOf(cells[row] ?? null, spec)).join(separator);
}

function distinct(rows: number, label: (row: number) => string): string[] {
  const found = new Set<string>();
  for (let row = 0; row < rows; row += 1) found.add(label(row));
  return [...found];
}

/** The largest ones, in their order, when there are too many to be read. */
export function topBars(chart: BarChart): BarChart {
  const categoriesMax = Math.max(1, Math.floor(limits.chartBarsMax / Math.max(1, chart.series.length)));
  const { categories } = chart;
  if (categories.length <= categoriesMax) return chart;
  const height = (index: number) => Math.max(...chart.series.map(({ values }) => Math.abs(values[index] ?? 0)));
  const kept = categories
    .map((_, index) => index)
    .sort((a, b) => height(b) - height(a) || a - b)
    .slice(0, categoriesMax)
    .sort((a, b) => a - b);
  const pick = <Item>(items: readonly Item[]) => kept.map((index) => items[index] as Item);
  const series: Series[] = chart.series.map(({ name, values }) => ({ name, values: pick(values) }));
  const left = categories.length - kept.length;
  return {
    ...chart,
    categories: pick(categories),
    series,
    note: `The ${kept.length} largest; ${left} more are left out`,
  };
}
