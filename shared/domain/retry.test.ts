import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "#contracts";
import { errorTable } from "#errors";
import { limits } from "./limits.ts";
import { retryAfterMs } from "./retry.ts";

const question = { code: ErrorCode.WORKER_CRASHED, tries: 0, nowMs: 0, deadlineMs: 30_000, jitter: 0.5 };

describe("a retry", () => {
  it("happens only for codes that the table says so of", () => {
    for (const [code, row] of Object.entries(errorTable)) {
      const after = retryAfterMs({ ...question, code: Number(code) });
      expect(after !== undefined, row.label).toBe(row.delivery === "retry");
    }
  });

  it("ends after the last try", () => {
    expect(retryAfterMs({ ...question, tries: limits.triesMax - 1 })).toBeDefined();
    expect(retryAfterMs({ ...question, tries: limits.triesMax })).toBeUndefined();
  });

  it("never goes beyond the deadline, and waits at most the longest time", () => {
    fc.assert(
      fc.property(
        fc.nat(10),
        fc.nat(60_000),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (tries, deadlineMs, jitter) => {
          const after = retryAfterMs({ ...question, tries, deadlineMs, jitter });
          return (
            after === undefined || (after <= limits.retryLongestMs && after + limits.deadlineReserveMs < deadlineMs)
          );
        },
      ),
    );
  });

  it("waits longer each time", () => {
    const waits = [0, 1, 2, 3].map((tries) => retryAfterMs({ ...question, tries, jitter: 1 }));
    expect(waits).toEqual([50, 100, 200, 400]);
  });
});
