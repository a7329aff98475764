/** A line over dates or numbers, one for each value of the other columns. */
import type { ColumnView } from "#data/table-view";
import { limits } from "#domain/limits";
import { axisOf, labelOf, numberOf, type Positions } from "./cell-values.ts";
import type { Axis, LineChart } from "./chart.ts";

export interface LineOptions {
  readonly title: string;
  readonly value: ColumnView;
  readonly x: Axis;
  readonly positions: Positions;
  readonly others: readonly ColumnView[];
}

export function lineChart({ title, value, x, positions, others }: LineOptions): LineChart {
  const all = [...new Set(positions.values.filter((position) => position !== null))].sort((a, b) => a - b);
  const kept = all.slice(0, limits.chartPointsMax);
  const place = new Map(kept.map((position, index) => [position, index]));
  const lines = new Map<string, (number | null)[]>();
  let leftOut = 0;
  positions.values.forEach((position, row) => {
    const index = position === null ? undefined : place.get(position);
    const name = others.map(({ cells, spec }) => labelOf(cells[row] ?? null, spec)).join(" · ");
    if (index === undefined || (!lines.has(name) && lines.size === limits.chartSeriesMax)) {
      leftOut += 1;
      return;
    }
    const line = lines.get(name) ?? new Array<number | null>(kept.length).fill(null);
    line[index] = numberOf(value.cells[row] ?? null, value.spec);
    lines.set(name, line);
  });
  return {
    kind: "line",
    title,
    x,
    y: axisOf(value.spec),
    positions: kept,
    xIsDate: positions.isDate,
    series: [...lines].map(([name, values]) => ({ name, values })),
    note: leftOut === 0 ? "" : `${leftOut} rows are left out`,
  };
}
