/** What must hold of an envelope before a step sees it, or a worker is spent on it. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { PayloadKind } from "./define-step.ts";
import { type EnvelopeHead, readEnvelopeHead } from "./envelope-head.ts";

export interface StepDescription {
  readonly name: string;
  readonly accepts: PayloadKind;
}

/** @throws DynamosError ENVELOPE_INVALID, DEADLINE_EXCEEDED */
export function checkEnvelope(bytes: Uint8Array, step: StepDescription, nowMs: number): EnvelopeHead {
  const head = readHead(bytes);
  if (head.step !== step.name) {
    throw invalid(`the envelope is for the step ${quoted(head.step)}, this is ${step.name}`);
  }
  if (head.deadlineMs <= 0) {
    throw invalid("the envelope has no deadline");
  }
  if (head.deadlineMs <= nowMs) {
    throw new DynamosError(ErrorCode.DEADLINE_EXCEEDED, `the deadline had passed before ${step.name} began`);
  }
  checkInputs(head, step);
  return head;
}

function checkInputs(head: EnvelopeHead, step: StepDescription): void {
  if (head.inputs.length === 0 && step.accepts !== "nothing") {
    throw invalid(`${step.name} needs at least one input`);
  }
  for (const [index, kind] of head.inputs.entries()) {
    if (kind !== step.accepts && kind !== "failure") {
      throw invalid(`input ${index} of ${step.name} must hold ${step.accepts}, not ${kind}`);
    }
  }
}

function readHead(bytes: Uint8Array): EnvelopeHead {
  try {
    return readEnvelopeHead(bytes);
  } catch (cause) {
    throw new DynamosError(ErrorCode.ENVELOPE_INVALID, "the body is not an envelope", { cause });
  }
}

function invalid(message: string): DynamosError {
  return new DynamosError(ErrorCode.ENVELOPE_INVALID, message);
}

/** A name out of a foreign envelope may be anything, so little of it is shown. */
function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 64));
}
