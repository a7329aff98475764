import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arrivalsMs } from "./run-scenario.ts";

const second = 1_000;

describe("arrivals", () => {
  it("come evenly at a constant rate", () => {
    const times = [...arrivalsMs(2 / second, [{ target: 2, durationMs: 3_000 }], second)];
    expect(times).toEqual([0, 500, 1_000, 1_500, 2_000, 2_500]);
  });

  it("come closer together while the rate goes up", () => {
    const times = [...arrivalsMs(0, [{ target: 10, durationMs: 2_000 }], second)];
    expect(times).toHaveLength(10);
    const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0));
    expect(gaps.every((gap, i) => i === 0 || gap < (gaps[i - 1] ?? 0))).toBe(true);
  });

  it("are as many as the rates of all stages together, in order, within their time", () => {
    const stage = fc.record({
      target: fc.integer({ min: 0, max: 40 }),
      durationMs: fc.integer({ min: 1, max: 5_000 }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.array(stage, { minLength: 1, maxLength: 5 }), (start, stages) => {
        const times = [...arrivalsMs(start / second, stages, second)];
        let [expected, rate] = [0, start];
        for (const { target, durationMs } of stages) {
          expected += ((rate + target) / 2 / second) * durationMs;
          rate = target;
        }
        const whole = stages.reduce((sum, { durationMs }) => sum + durationMs, 0);
        expect(Math.abs(times.length - expected)).toBeLessThanOrEqual(1);
        expect(times.every((at, i) => at >= (times[i - 1] ?? 0) - 1e-6 && at <= whole + 1e-6)).toBe(true);
      }),
      { seed: 11 },
    );
  });
});
