import { describe, expect, it } from "vitest";
import { readOptions } from "./script-options.ts";

const calm = { executor: "constant-arrival-rate", rate: 30, timeUnit: "1m", duration: "10s", preAllocatedVUs: 2 };
const read = (fields: object) => readOptions({ scenarios: { calm: { ...calm, ...fields } } }, ["default", "other"]);

describe("options of a script", () => {
  it("become a plan", () => {
    expect(read({ exec: "other", startTime: "1m30s", maxVUs: 9 }).scenarios).toEqual([
      {
        name: "calm",
        exec: "other",
        executor: "arrival-rate",
        startMs: 90_000,
        startPerMs: 30 / 60_000,
        stages: [{ target: 30, durationMs: 10_000 }],
        unitMs: 60_000,
        vusMax: 9,
      },
    ]);
  });

  it.each([
    [{ executor: "externally-controlled" }, "the runner has no executor externally-controlled"],
    [{ tags: {} }, "the runner does not do tags"],
    [{ exec: "missing" }, "the script has no function missing"],
    [{ duration: "10" }, "must be a duration such as 30s"],
    [{ duration: "10s " }, "must be a duration such as 30s"],
    [{ rate: -1 }, "rate: must be a number"],
    [{ rate: "5" }, "rate: must be a number"],
  ])("with %j are refused, and nothing is left out in silence", (fields, message) => {
    expect(() => read(fields)).toThrow(message);
  });

  it("that the runner does not do are refused too", () => {
    expect(() => readOptions({ scenarios: {}, vus: 3 }, [])).toThrow("the runner does not do vus");
    expect(() => readOptions({ vus: 3 }, [])).toThrow("the runner does not do vus");
    expect(() => readOptions({}, [])).toThrow("options.scenarios is missing");
    expect(() => readOptions({ scenarios: {}, thresholds: { checks: [{ threshold: "rate==1" }] } }, [])).toThrow(
      "thresholds of checks",
    );
  });
});
