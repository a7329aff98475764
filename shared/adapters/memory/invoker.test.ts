import { describe, expect, it } from "vitest";
import { systemClock } from "#adapters/system/clock";
import { contractSteps } from "#testing/contract-steps";
import { callOf, envelopeFor, invokerContract } from "#testing/invoker-contract";
import { createMemoryInvoker } from "./invoker.ts";

const steps = contractSteps.map((step) => ({
  name: `uva-${step.name}`,
  topic: `uva.${step.name}`,
  step,
  ...(step.name === "slow" ? { concurrency: 7 } : {}),
}));

describe("the in-memory invoker", () => {
  invokerContract(async () => {
    const invoker = createMemoryInvoker(steps, { clock: systemClock, environment: {} });
    return { invoker, close: () => invoker.close() };
  });

  it("reports the cause that the asker is not told", async () => {
    const reported: unknown[] = [];
    const invoker = createMemoryInvoker(steps, {
      clock: systemClock,
      environment: {},
      report: (error) => reported.push(error),
    });
    const options = { deadlineMs: Date.now() + 5_000, signal: new AbortController().signal };
    await invoker.invoke("uva-defective", callOf(envelopeFor("defective")), options);
    expect(String(reported[0])).toContain("salary 4200");
  });
});
