/** Samples in the lines of `k6 run --out json=FILE`, so that one report reads both. */
import type { Metrics } from "./metrics.ts";

export function* pointLines(metrics: Metrics): Generator<string> {
  for (const { name, type, samples } of metrics.all()) {
    if (samples.length === 0) continue;
    yield `${JSON.stringify({ type: "Metric", metric: name, data: { name, type, contains: "default" } })}\n`;
    for (const { value, atMs, tags } of samples) {
      const data = { time: new Date(atMs).toISOString(), value, tags };
      yield `${JSON.stringify({ type: "Point", metric: name, data })}\n`;
    }
  }
}
