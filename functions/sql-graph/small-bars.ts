/** A chart that counts rows, without the bars that stand for too few of them. */
import type { BarChart } from "./chart.ts";

/** An empty bar and one that is left out look the same, and a bar of nobody is not counted. */
export function withoutSmallBars(chart: BarChart, least: number): BarChart {
  let left = 0;
  const series = chart.series.map(({ name, values }) => ({
    name,
    values: values.map((value) => {
      if (value === null || value >= least) return value;
      if (value > 0) left += 1;
      return null;
    }),
  }));
  if (least === 0) return chart;
  const bars = left === 1 ? "1 bar of fewer than" : `${left} bars of fewer than`;
  const note = left === 0 ? "" : `${bars} ${least} rows left out`;
  // Where a bar stood, its place on the axis would still tell of a value.
  const kept = chart.categories.map((_, i) => series.some(({ values }) => values[i] !== null));
  const isKept = (_: unknown, i: number) => kept[i] === true;
  return {
    ...chart,
    categories: chart.categories.filter(isKept),
    series: series.map(({ name, values }) => ({ name, values: values.filter(isKept) })),
    note: [chart.note, note].filter(Boolean).join("; "),
  };
}
