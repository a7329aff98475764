/** One step on one envelope, from bytes to bytes. Never throws: whatever happens is an outcome. */
import { Envelope, ErrorCode, Outcome } from "#contracts";
import { encodeChunk } from "#contracts/pieces";
import { limits } from "#domain/limits";
import { fail } from "#domain/outcome";
import { DynamosError, toDynamosError } from "#errors";
import type { Step, StepContext } from "./define-step.ts";
import type { Call } from "./step-invoker.ts";
import { decodeChunks, tableFlow } from "./table-flow.ts";

/** @param report gets the cause of what is not told to the asker */
export async function runStep(
  step: Step,
  { envelope: bytes, chunks, take }: Call,
  context: StepContext,
  report: (error: unknown) => void,
): Promise<Uint8Array> {
  let place: { party: string; step: string } = { party: "", step: step.name };
  try {
    const envelope = decode(bytes);
    place = { party: envelope.party, step: step.name };
    const flow = tableFlow(envelope, decodeChunks(chunks), (part) => take(encodeChunk(0, part)));
    const facts = await step.facts(envelope, context, flow);
    return encode(step.decide(envelope, facts));
  } catch (error) {
    const known = name(error);
    if (known !== error || known.cause !== undefined) {
      report(known.cause ?? error);
    }
    return encode({ decision: { $case: "failure", value: known.toFailure(place) } });
  }
}

function decode(bytes: Uint8Array): Envelope {
  try {
    return Envelope.decode(bytes);
  } catch (cause) {
    throw new DynamosError(ErrorCode.ENVELOPE_INVALID, "the body is not an envelope", { cause });
  }
}

function encode(outcome: Outcome): Uint8Array {
  const bytes = Outcome.encode(outcome).finish();
  return bytes.length <= limits.messageBytesMax
    ? bytes
    : Outcome.encode(
        fail(ErrorCode.RESULT_TOO_LARGE, `the outcome is over the limit of ${limits.messageBytesMax} bytes`),
      ).finish();
}

function name(error: unknown): DynamosError {
  // V8's words when the system gives no memory for a buffer; the heap's own limit ends the process instead.
  if (error instanceof RangeError && /allocation failed|Invalid (typed )?array length/i.test(error.message)) {
    return new DynamosError(ErrorCode.WORKER_OUT_OF_MEMORY, "the step could not allocate memory", { cause: error });
  }
  return toDynamosError(error);
}
