/** A step with what it has prepared in its hands. */
import type { Step, StepContext } from "./define-step.ts";

/**
 * What can't be made ahead is made at the call, which then says what is wrong with it.
 *
 * @param report gets why it could not be made
 */
export async function preparedStep(step: Step, context: StepContext, report: (error: unknown) => void): Promise<Step> {
  const prepared: unknown = await step.prepare?.(context).catch(report);
  if (prepared === undefined) return step;
  const { facts, rehearse } = step;
  return {
    ...step,
    facts: (envelope, given, flow) => facts(envelope, { ...given, prepared }, flow),
    ...(rehearse === undefined ? {} : { rehearse: (given) => rehearse({ ...given, prepared }) }),
  };
}
