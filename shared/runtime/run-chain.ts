/** A step, and after it the chain's next ones as far as its envelope and this process go. Never throws. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Envelope, Outcome, type Payload } from "#contracts";
import { nextHop } from "#domain/next-hop";
import { forward } from "#domain/outcome";
import { isEmitted, withTransfer } from "#domain/transferred";
import { toDynamosError } from "#errors";
import { checkEnvelope } from "./check-envelope.ts";
import type { Step, StepContext } from "./define-step.ts";
import { HeldTable } from "./held-table.ts";
import { encodeFailure } from "./outcome-bytes.ts";
import { runStep } from "./run-step.ts";
import type { Call } from "./step-invoker.ts";

/**
 * @param further that this process may go on with, in any order; none: as `runStep`
 * @param report gets the cause of what is not told to the asker
 * @returns the last step's outcome; each before it has gone to the call's `handOn`
 */
export async function runChain(
  step: Step,
  further: readonly Step[],
  call: Call,
  context: StepContext,
  report: (error: unknown) => void,
): Promise<Uint8Array> {
  const next = call.handOn === undefined ? undefined : nextStep(call.envelope, further);
  if (next === undefined) return runStep(step, call, context, report);
  const held = new HeldTable(call.take);
  const outcome = await runStep(step, { ...call, take: held.take }, context, report);
  const handed = handedOn(call.envelope, outcome, held);
  if (handed?.envelope.step !== next.name) return passedOn(outcome, held);
  try {
    await call.handOn?.(handed.outcome);
  } catch {
    // Nobody waits for the further steps.
    return passedOn(outcome, held);
  }
  const envelope = Envelope.encode(handed.envelope).finish();
  try {
    checkEnvelope(envelope, next, context.now());
  } catch (error) {
    return encodeFailure(toDynamosError(error).toFailure({ step: next.name }));
  }
  return runChain(next, further, { ...call, envelope, chunks: chunksOf(held) }, ownFolder(context), report);
}

/** What is no envelope is the step's to refuse. */
function nextStep(envelope: Uint8Array, further: readonly Step[]): Step | undefined {
  if (further.length === 0) return undefined;
  try {
    const [name] = Envelope.decode(envelope).goesOnWith;
    return further.find((one) => one.name === name);
  } catch {
    return undefined;
  }
}

/** As the sidecar makes it of the same outcome, but for the trail, which is the sidecar's to write. */
function handedOn(bytes: Uint8Array, made: Uint8Array, held: HeldTable) {
  const { decision } = Outcome.decode(made);
  const payload = decision?.$case === "forward" ? here(decision.value.payload, held) : undefined;
  if (decision?.$case !== "forward" || payload === undefined) return undefined;
  const envelope = Envelope.decode(bytes);
  const next = nextHop(envelope, payload);
  if (next === undefined) return undefined;
  return {
    outcome: Outcome.encode(forward(payload, decision.value.dataRevision)).finish(),
    envelope: { ...next, goesOnWith: envelope.goesOnWith.slice(1) },
  };
}

/** @returns undefined: it is no result, or its table has left */
function here(payload: Payload | undefined, held: HeldTable): Payload | undefined {
  const content = payload?.content;
  if (content?.$case !== "result") return undefined;
  if (!isEmitted(content.value.table)) return payload;
  return held.chunks && { content: { $case: "result", value: withTransfer(content.value, held.describe()) } };
}

async function passedOn(outcome: Uint8Array, held: HeldTable): Promise<Uint8Array> {
  try {
    await held.passOn();
    return outcome;
  } catch (error) {
    return encodeFailure(toDynamosError(error).toFailure({}));
  }
}

async function* chunksOf(held: HeldTable): AsyncGenerator<Uint8Array> {
  yield* held.chunks ?? [];
}

/** Each step finds its folder empty. */
function ownFolder(context: StepContext): StepContext {
  const temporaryFolder = join(context.temporaryFolder, "further");
  mkdirSync(temporaryFolder);
  return { ...context, temporaryFolder };
}
