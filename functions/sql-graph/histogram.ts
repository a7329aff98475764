/** How the values of one numeric column are spread, by one other column where that has few values. */
import type { ColumnView } from "#data/table-view";
import { limits } from "#domain/limits";
import { axisOf, labelOf, numberOf } from "./cell-values.ts";
import type { BarChart } from "./chart.ts";
import { numberText, stepBetween } from "./scale.ts";

const binsMax = 20;

interface Bins {
  readonly labels: readonly string[];
  readonly indexOf: (value: number) => number;
}

export function histogram(value: ColumnView, category: ColumnView | undefined): BarChart {
  const numbers = value.cells.map((cell) => numberOf(cell, value.spec));
  const bins = binsOf(numbers.filter((number) => number !== null));
  const groups = groupLabels(category);
  const counts = new Map(groups.map((name) => [name, new Array<number>(bins.labels.length).fill(0)]));
  numbers.forEach((number, row) => {
    const counted = counts.get(
      category === undefined || groups.length === 1
        ? (groups[0] ?? "")
        : labelOf(category.cells[row] ?? null, category.spec),
    );
    if (number === null || counted === undefined) return;
    const bin = bins.indexOf(number);
    counted[bin] = (counted[bin] ?? 0) + 1;
  });
  const x = axisOf(value.spec);
  const by = groups.length > 1 && category !== undefined ? ` by ${axisOf(category.spec).title}` : "";
  const empty = numbers.filter((number) => number === null).length;
  return {
    kind: "bars",
    title: `Distribution of ${x.title}${by}`,
    x,
    y: { title: "Number of rows", unit: "" },
    categories: bins.labels,
    series: groups.map((name) => ({ name, values: counts.get(name) ?? [] })),
    note: empty === 0 ? "" : `${empty} rows without a value are left out`,
  };
}

/** Whole numbers of a small range one by one, everything else in steps of a round size. */
function binsOf(numbers: readonly number[]): Bins {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let areWhole = true;
  for (const number of numbers) {
    low = Math.min(low, number);
    high = Math.max(high, number);
    areWhole &&= Number.isInteger(number);
  }
  if (numbers.length === 0) return { labels: [], indexOf: () => 0 };
  if (areWhole && high - low < binsMax) {
    const labels = Array.from({ length: high - low + 1 }, (_, index) => numberText(low + index));
    return { labels, indexOf: (number) => number - low };
  }
  const step = Math.max(stepBetween(low, high, binsMax), areWhole ? 1 : 0);
  const start = Math.floor(low / step) * step;
  const count = Math.floor((high - start) / step) + 1;
  const edge = (index: number) => numberText(start + index * step);
  const labels = Array.from({ length: count }, (_, index) => `${edge(index)}–${edge(index + 1)}`);
  return { labels, indexOf: (number) => Math.min(count - 1, Math.floor((number - start) / step)) };
}

function groupLabels(category: ColumnView | undefined): string[] {
  if (category === undefined) return [""];
  const found = [...new Set(category.cells.map((cell) => labelOf(cell, category.spec)))].sort();
  return found.length <= limits.chartSeriesMax && found.length > 0 ? found : [""];
}
