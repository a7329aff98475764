/** Runs a shared step in this process. Such a step sees no rows. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { Log } from "#ports/log";
import type { Environment } from "./config.ts";
import type { Step } from "./define-step.ts";
import { invocationContext } from "./invocation-context.ts";
import { runStep } from "./run-step.ts";
import type { Invocation, InvocationLimits, StepInvoker } from "./step-invoker.ts";

/** Resolves when the step has rehearsed. */
export async function inProcessInvoker(step: Step, environment: Environment, log: Log): Promise<StepInvoker> {
  const frozen = Object.freeze({ ...environment });
  const worker = `${process.pid}-shared`;
  const rehearsal = invocationContext(frozen);
  await step.rehearse?.(rehearsal.context);
  rehearsal.end();
  const report = (error: unknown) =>
    log.log("error", "the step failed", { reason: error instanceof Error ? (error.stack ?? error.message) : "" });
  return {
    isReady: () => true,
    async invoke(call, invocation): Promise<Invocation> {
      const { context, end } = invocationContext(frozen);
      const outcome = runStep(step, call, context, report).finally(end);
      return { outcome: await within(outcome, invocation), worker };
    },
    close: async () => {},
  };
}

/** The step itself can't be stopped; its caller is told in time. */
function within(outcome: Promise<Uint8Array>, { deadlineMs, signal }: InvocationLimits): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const late = () =>
      reject(new DynamosError(ErrorCode.DEADLINE_EXCEEDED, "the step did not end before its deadline"));
    const timer = setTimeout(late, Math.max(0, deadlineMs - Date.now()));
    const cancel = () => reject(new DynamosError(ErrorCode.CANCELLED, "nobody waits for this invocation"));
    signal.addEventListener("abort", cancel, { once: true });
    outcome.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", cancel);
    });
  });
}
