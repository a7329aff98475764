/** All samples of a run, by metric. */
import type { MetricType } from "./messages.ts";

export interface Sample {
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly tags: Readonly<Record<string, string>>;
}

export interface Metric {
  readonly name: string;
  readonly type: MetricType;
  readonly samples: Sample[];
}

export interface Metrics {
  /** @throws Error where it is there with another type */
  declare(name: string, type: MetricType): void;
  add(name: string, sample: Sample): void;
  get(name: string): Metric | undefined;
  all(): readonly Metric[];
}

/** Of k6 itself. */
const builtIn: readonly (readonly [name: string, type: MetricType])[] = [
  ["checks", "rate"],
  ["dropped_iterations", "counter"],
  ["http_req_duration", "trend"],
  ["http_req_failed", "rate"],
  ["http_req_waiting", "trend"],
  ["http_reqs", "counter"],
  ["iteration_duration", "trend"],
  ["iterations", "counter"],
];

export function createMetrics(): Metrics {
  const metrics = new Map<string, Metric>(builtIn.map(([name, type]) => [name, { name, type, samples: [] }]));
  return {
    declare(name, type) {
      const there = metrics.get(name);
      if (there === undefined) metrics.set(name, { name, type, samples: [] });
      else if (there.type !== type) throw new Error(`the metric ${name} is a ${there.type} already, not a ${type}`);
    },
    add(name, sample) {
      const metric = metrics.get(name);
      if (metric === undefined) throw new Error(`there is no metric ${name}`);
      metric.samples.push(sample);
    },
    get: (name) => metrics.get(name),
    all: () => [...metrics.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}
