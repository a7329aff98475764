import { describe, expect, it } from "vitest";
import { createMetrics } from "./metrics.ts";
import { judge } from "./thresholds.ts";

function metricsOf(values: readonly number[]) {
  const metrics = createMetrics();
  metrics.declare("took", "trend");
  metrics.declare("shed", "rate");
  for (const [i, value] of values.entries()) {
    const tags = { scenario: i % 2 === 0 ? "even" : "odd" };
    metrics.add("took", { value, atMs: i, tags });
    metrics.add("shed", { value: value > 2 ? 1 : 0, atMs: i, tags });
    metrics.add("http_reqs", { value: 1, atMs: i, tags });
  }
  return metrics;
}

const judged = (metric: string, expression: string) => judge({ [metric]: [expression] }, metricsOf([1, 2, 3, 4]))[0];

describe("a threshold", () => {
  it.each([
    ["took", "p(50)<=2", 2, true],
    ["took", "p(95) < 4", 4, false],
    ["took", "avg==2.5", 2.5, true],
    ["took", "med>2", 2, false],
    ["took", "min<2", 1, true],
    ["took", "max>=4", 4, true],
    ["took{scenario:even}", "max==3", 3, true],
    ["took{scenario:odd}", "max==3", 4, false],
    ["shed", "rate<0.5", 0.5, false],
    ["shed{scenario:odd}", "rate!=0.5", 0.5, false],
    ["http_reqs", "count==4", 4, true],
    ["dropped_iterations", "count==0", 0, true],
  ])("of %s, %s, is judged by its samples", (metric, expression, value, holds) => {
    expect(judged(metric, expression)).toEqual({ metric, expression, value, holds });
  });

  it("about what never was holds, and says that there was no sample", () => {
    expect(judged("took{scenario:none}", "p(95)<1")).toMatchObject({ value: undefined, holds: true });
  });

  it.each([
    ["tok", "p(95)<1", "there is no such metric"],
    ["took", "p95<1", "can't read p95<1"],
    ["took", "rate<1", "a trend has avg, min, med, max, count, p(95)"],
    ["shed", "p(95)<1", "a rate has rate"],
    ["took", "avg<1 && max<2", "can't read"],
  ])("of %s, %s, is refused", (metric, expression, message) => {
    expect(() => judged(metric, expression)).toThrow(message);
  });
});
