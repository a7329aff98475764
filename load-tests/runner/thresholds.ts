/** Thresholds, in k6's writing: `p(95)<200`, of a metric or of those of its samples that have some tags. */
import { median, percentile } from "../../cli/bench/statistics.ts";
import type { MetricType } from "./messages.ts";
import type { Metrics } from "./metrics.ts";

export interface Judged {
  /** `query_answered_ms{scenario:home}` */
  readonly metric: string;
  readonly expression: string;
  /** Undefined: there was no sample. A rule about what never was holds, as in k6. */
  readonly value: number | undefined;
  readonly holds: boolean;
}

const aggregates: Readonly<Record<MetricType, readonly string[]>> = {
  counter: ["count"],
  gauge: ["value"],
  rate: ["rate"],
  trend: ["avg", "min", "med", "max", "count", "p"],
};
const compare: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "<=": (a, b) => a <= b,
  ">=": (a, b) => a >= b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
};

/** @throws Error where a threshold is about a metric that there is not, or can't be read */
export function judge(thresholds: Readonly<Record<string, readonly string[]>>, metrics: Metrics): Judged[] {
  return Object.entries(thresholds).flatMap(([metric, expressions]) =>
    expressions.map((expression) => ({ metric, expression, ...judgeOne(metric, expression, metrics) })),
  );
}

function judgeOne(selector: string, expression: string, metrics: Metrics): Pick<Judged, "value" | "holds"> {
  const [, name = "", inBraces] = /^(\w+)(?:\{([^{}]*)\})?$/.exec(selector) ?? [];
  const metric = metrics.get(name);
  if (metric === undefined) throw new Error(`threshold of ${selector}: there is no such metric`);
  const parsed = /^(avg|min|med|max|count|rate|value|p\((\d+(?:\.\d+)?)\))\s*(<=|>=|==|!=|<|>)\s*(\d+(?:\.\d+)?)$/.exec(
    expression.trim(),
  );
  const [, aggregate = "", share, operator = "", limit] = parsed ?? [];
  if (!aggregates[metric.type].includes(aggregate.replace(/\(.*/, ""))) {
    const has = aggregates[metric.type].map((one) => (one === "p" ? "p(95)" : one)).join(", ");
    throw new Error(`threshold of ${selector}: can't read ${expression}; a ${metric.type} has ${has}, then < 100`);
  }
  const tags = (inBraces ?? "").split(",").filter(Boolean).map(tagOf);
  const values = metric.samples
    .filter((sample) => tags.every(([key, value]) => sample.tags[key] === value))
    .map(({ value }) => value);
  const value = aggregated(aggregate, values, Number(share));
  const holds = value === undefined || compare[operator]?.(value, Number(limit)) === true;
  return { value, holds };
}

function tagOf(text: string): [key: string, value: string] {
  const at = text.indexOf(":");
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

/** Of a counter nothing is 0; of the others nothing is nothing. */
function aggregated(aggregate: string, values: readonly number[], share: number): number | undefined {
  const sum = values.reduce((a, b) => a + b, 0);
  if (aggregate === "count") return sum;
  if (values.length === 0) return undefined;
  if (aggregate === "rate" || aggregate === "avg") return sum / values.length;
  if (aggregate === "min") return percentile(values, 0);
  if (aggregate === "med") return median(values);
  if (aggregate === "max") return percentile(values, 1);
  return aggregate === "value" ? values.at(-1) : percentile(values, share / 100);
}
