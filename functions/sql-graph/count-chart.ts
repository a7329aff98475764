/** When nothing else fits: how often each value of one column occurs. */
import type { TableView } from "#data/table-view";
import { axisOf, labelOf } from "./cell-values.ts";
import type { BarChart } from "./chart.ts";
import { topBars } from "./grouped-chart.ts";

export function countChart({ columns, rows }: TableView): BarChart {
  const counted = columns.find(({ spec }) => spec.kind === "text" || spec.kind === "boolean") ?? columns[0];
  const y = { title: "Number of rows", unit: "" };
  if (counted === undefined) {
    return {
      kind: "bars",
      title: "Number of rows",
      x: { title: "", unit: "" },
      y,
      categories: ["all"],
      series: [{ name: "", values: [rows] }],
      note: "",
    };
  }
  const counts = new Map<string, number>();
  for (const cell of counted.cells) {
    const label = labelOf(cell, counted.spec);
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const x = axisOf(counted.spec);
  return topBars({
    kind: "bars",
    title: `Number of rows by ${x.title}`,
    x,
    y,
    categories: sorted.map(([label]) => label),
    series: [{ name: "", values: sorted.map(([, count]) => count) }],
    note: "",
  });
}
