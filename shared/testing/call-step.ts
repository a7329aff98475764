/** One step on one envelope, as the runtime runs it, with its tables in this process's memory. */
import type { Envelope, Outcome } from "#contracts";
import { openStream, writeStream } from "#data/arrow-stream";
import type { Step, StepContext } from "#runtime/define-step";
import { noChunks, tableFlow } from "#runtime/table-flow";

/**
 * A table that the step emitted is put inside the outcome, whatever its size.
 * @throws DynamosError what the step's `facts` throw
 */
export async function callStep(step: Step, envelope: Envelope, context: StepContext): Promise<Outcome> {
  const emitted: Uint8Array[] = [];
  const flow = tableFlow(envelope, noChunks(), async (bytes) => void emitted.push(bytes));
  const outcome = step.decide(envelope, await step.facts(envelope, context, flow));
  const content = outcome.decision?.$case === "forward" ? outcome.decision.value.payload?.content : undefined;
  const table = content?.$case === "result" ? content.value.table : undefined;
  if (table?.transfer !== undefined) {
    const rows = openStream({ ...table, arrowIpc: Buffer.concat(emitted) });
    Object.assign(table, writeStream(openStream(table).schema, rows));
  }
  return outcome;
}
