/** One step on one envelope, as the runtime runs it, with its tables in this process's memory. */
import type { Envelope, Outcome } from "#contracts";
import type { Step, StepContext } from "#runtime/define-step";
import { noChunks, tableFlow } from "#runtime/table-flow";

/**
 * @param emitted gets the bytes of a table that is too large for the outcome
 * @throws DynamosError what the step's `facts` throw
 */
export async function callStep(
  step: Step,
  envelope: Envelope,
  context: StepContext,
  emitted: Uint8Array[] = [],
): Promise<Outcome> {
  const flow = tableFlow(envelope, noChunks(), async (bytes) => void emitted.push(bytes));
  return step.decide(envelope, await step.facts(envelope, context, flow));
}
