/** What a run came to, for people. */
import colors from "picocolors";
import { median, percentile } from "../../cli/bench/statistics.ts";
import { textTable } from "../../cli/print/text-table.ts";
import type { Metric } from "./metrics.ts";
import type { LoadResult } from "./run-script.ts";

export function summaryOf({ metrics, thresholds, errors, passed }: LoadResult): string {
  const trends = metrics.all().filter(({ type, samples }) => type === "trend" && samples.length > 0);
  const others = metrics.all().filter(({ type, samples }) => type !== "trend" && samples.length > 0);
  return [
    textTable({
      columns: [{ name: "trend (ms)" }, ...["count", "min", "p50", "p95", "p99", "max"].map(numeric)],
      rows: trends.map(trendRow),
    }),
    textTable({ columns: [{ name: "metric" }, numeric("value"), numeric("of")], rows: others.map(otherRow) }),
    ...thresholds.map(
      ({ metric, expression, value, holds }) =>
        `${holds ? colors.green("✔") : colors.red("✘")} ${metric}: ${expression}, ${value === undefined ? "no sample" : `was ${round(value)}`}`,
    ),
    ...errors.slice(0, 20).map((error) => colors.red(`✘ ${error}`)),
    passed ? colors.green("all thresholds hold") : colors.red("NOT all thresholds hold"),
  ].join("\n");
}

function trendRow({ name, samples }: Metric) {
  const values = samples.map(({ value }) => value);
  const at = (share: number) => round(percentile(values, share));
  return [name, values.length, at(0), round(median(values)), at(0.95), at(0.99), at(1)];
}

function otherRow({ name, type, samples }: Metric) {
  const sum = samples.reduce((total, { value }) => total + value, 0);
  return [name, round(type === "rate" ? sum / samples.length : sum), samples.length];
}

function numeric(name: string) {
  return { name, type: "double" } as const;
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
