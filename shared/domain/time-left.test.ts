import fc from "fast-check";
import { expect, it } from "vitest";
import { Chain, Envelope } from "#contracts";
import { gatherDeadlineMs, invocationDeadlineMs } from "./time-left.ts";

it("the step gives up before the gather, the gather before the asker, and none before it began", () => {
  fc.assert(
    fc.property(fc.nat(120_000), fc.nat(1_000_000), (leftMs, nowMs) => {
      const deadlineMs = nowMs + leftMs;
      const feeding = Envelope.fromPartial({ deadlineMs, gather: Chain.fromPartial({ id: "gather-SURF" }) });
      const step = invocationDeadlineMs(feeding, nowMs);
      const gather = gatherDeadlineMs(deadlineMs, nowMs);
      expect(step).toBeLessThanOrEqual(gather);
      expect(gather).toBeLessThanOrEqual(deadlineMs);
      expect(step).toBeGreaterThanOrEqual(nowMs);
      if (leftMs >= 10) expect(step < gather && gather < deadlineMs).toBe(true);
    }),
  );
});
