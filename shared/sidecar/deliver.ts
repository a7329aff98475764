/** From a delivery to what becomes of it: run the hop, publish what it decided, and only then let the message go. */
import { type Envelope, ErrorCode, type Outcome } from "#contracts";
import { effectsOf } from "#domain/carry-out";
import { isWithheld } from "#domain/next-hop";
import { fail } from "#domain/outcome";
import { retryAfterMs } from "#domain/retry";
import { outcomeTransfers, transferNames } from "#domain/transferred";
import { DynamosError, labelOf, rowOf, toDynamosError } from "#errors";
import type { Delivery, Disposition } from "#ports/broker";
import type { Log } from "#ports/log";
import { dropAcknowledged, dropTransfers } from "./drop-transfers.ts";
import { type FusedCall, openFusedCall } from "./fused-call.ts";
import type { HopResult, HopTools } from "./hop.ts";
import type { InHand } from "./in-hand.ts";
import { nextControl } from "./next-control.ts";
import type { Outbox } from "./outbox.ts";
import { isPoison, putAside, readEnvelope } from "./poison.ts";
import type { Recorder } from "./recorder.ts";

export interface DeliverTools extends HopTools {
  readonly outbox: Outbox;
  readonly log: Log;
  readonly inHand: InHand;
  readonly recorder: Recorder;
}

/** The handler of a step's queue. */
export async function deliver(delivery: Delivery, tools: DeliverTools): Promise<Disposition> {
  const envelope = readEnvelope(delivery);
  if (isPoison(envelope)) return putAside(delivery, envelope, tools);
  const disposition = await tools.inHand.hold(envelope, (signal) =>
    deliverEnvelope(envelope, delivery.tries, signal, tools),
  );
  if (disposition.kind === "done" || disposition.kind === "dead-letter") {
    dropAcknowledged(transferNames(envelope.inputs), tools.transfers, tools.log);
  }
  return disposition;
}

/** Of one that was carried out here already: its hop's tables may have been sent again, under another name. */
export async function deliverAgain(delivery: Delivery, { transfers, log }: DeliverTools): Promise<Disposition> {
  const envelope = readEnvelope(delivery);
  if (!isPoison(envelope)) dropAcknowledged(transferNames(envelope.inputs), transfers, log);
  return { kind: "done" };
}

/** @param tries how often this hop was tried before */
async function deliverEnvelope(
  envelope: Envelope,
  tries: number,
  signal: AbortSignal,
  tools: DeliverTools,
): Promise<Disposition> {
  const fused = openFusedCall(envelope, tools);
  const disposition = fused && (await deliverFused(envelope, { tries, signal, tools, fused }));
  if (disposition !== undefined) return disposition;
  if (envelope.chain?.id === "") return deliverControl(envelope, { tries, signal, tools });
  return publishHop(envelope, await tools.recorder.hop(envelope, tries, signal, tools), { tries, signal, tools });
}

interface HopInHand {
  readonly tries: number;
  readonly signal: AbortSignal;
  readonly tools: DeliverTools;
}

/**
 * A hop of the control chain: the next one is run at once where it is served here too. It has its message only if
 * that does not go well.
 */
async function deliverControl(envelope: Envelope, hop: HopInHand): Promise<Disposition> {
  const { tries, signal, tools } = hop;
  let tell = (_: HopResult) => {};
  const told = new Promise<HopResult>((resolve) => {
    tell = resolve;
  });
  const recorded = tools.recorder.hop(envelope, tries, signal, { ...tools, ran: tell });
  const ran = await Promise.race([told, recorded]);
  const isEnded = whyEnded(envelope, signal, tools) !== undefined;
  const next = isEnded ? undefined : nextControl(effectsOf(envelope, ran.outcome, ran.record), tools);
  if (next === undefined) return publishHop(envelope, await recorded, hop);
  // While the disk takes what the first decided, the second decides; nothing is published before both are on record.
  const [first, second] = await Promise.all([recorded, tools.recorder.hop(next, 0, signal, tools)]);
  if (first !== ran) {
    tools.recorder.ended(next, { code: ErrorCode.RECORD_UNAVAILABLE });
    return publishHop(envelope, first, hop);
  }
  return (await publishDecided(next, second, { tries: 0, signal, tools })) ?? publishHop(envelope, first, hop);
}

/** @returns undefined: it failed, or can't be published now; it is to get its message, as ever */
async function publishDecided(envelope: Envelope, ran: HopResult, hop: HopInHand): Promise<Disposition | undefined> {
  if (ran.outcome.decision?.$case === "failure") return undefined;
  const disposition = await publishHop(envelope, ran, hop);
  return disposition.kind === "retry" ? undefined : disposition;
}

interface FusedHop extends HopInHand {
  /** The call that runs it, which may go on with the next one. */
  readonly fused: FusedCall;
}

/** @returns undefined: rows that were to stay in the process came to nothing there; the hop is to run again, by itself */
async function deliverFused(envelope: Envelope, hop: FusedHop): Promise<Disposition | undefined> {
  try {
    return await carryOutFused(envelope, await runFused(envelope, hop), hop);
  } finally {
    hop.fused.end();
  }
}

function runFused(envelope: Envelope, { tries, signal, tools, fused }: FusedHop): Promise<HopResult> {
  return tools.recorder.hop(envelope, tries, signal, { ...tools, invoker: fused.invoker, fused });
}

async function carryOutFused(envelope: Envelope, ran: HopResult, hop: FusedHop): Promise<Disposition | undefined> {
  const { signal, tools, fused } = hop;
  const isEnded = whyEnded(envelope, signal, tools) !== undefined;
  const next = isEnded ? undefined : fused.next(effectsOf(envelope, ran.outcome, ran.record));
  const disposition = next && (await goOn(next, tools, fused));
  if (disposition !== undefined) return disposition;
  // Why it has ended can be told without its rows.
  return isWithheld(ran.outcome) && !isEnded ? undefined : publishHop(envelope, ran, hop);
}

/**
 * The next hop, which runs in the process of the one before it.
 * @returns undefined: it did not go well for a reason that may lie there; it is to get its message, as ever
 */
function goOn(envelope: Envelope, tools: DeliverTools, fused: FusedCall): Promise<Disposition | undefined> {
  return tools.inHand.hold(envelope, async (signal) => {
    const hop = { tries: 0, signal, tools, fused };
    const ran = await runFused(envelope, hop);
    const { decision } = ran.outcome;
    if (decision?.$case === "failure" && rowOf(decision.value.code).delivery !== "answer") return undefined;
    const disposition = await carryOutFused(envelope, ran, hop);
    return disposition?.kind === "retry" ? undefined : disposition;
  });
}

/** Publishes what a hop that has run decided. */
async function publishHop(
  envelope: Envelope,
  { outcome: made, record }: HopResult,
  { tries, signal, tools }: HopInHand,
): Promise<Disposition> {
  // Nothing may wait between this look and the publish: who ends hops waits for what is published already.
  const outcome = lastLook(envelope, made, signal, tools);
  const again = retryOf(envelope, outcome, tries, tools);
  if (again !== undefined) {
    return again;
  }
  try {
    await tools.outbox.publish(effectsOf(envelope, outcome, record));
  } catch (error) {
    return unpublished(envelope, tries, tools, error);
  }
  return ended(envelope, outcome, tools.log);
}

/** What was made of it, unless it was ended meanwhile. */
function lastLook(envelope: Envelope, made: Outcome, signal: AbortSignal, tools: DeliverTools): Outcome {
  const ended = whyEnded(envelope, signal, tools);
  if (ended === undefined || made.decision?.$case === "failure") return made;
  void dropTransfers(outcomeTransfers(made), tools.transfers, tools.log);
  tools.recorder.ended(envelope, ended);
  return fail(ended.code, ended.message);
}

function whyEnded(envelope: Envelope, signal: AbortSignal, tools: DeliverTools): DynamosError | undefined {
  return signal.reason instanceof DynamosError ? signal.reason : tools.errorOf(envelope);
}

function retryOf(
  envelope: Envelope,
  outcome: Outcome,
  tries: number,
  { clock, log }: DeliverTools,
): Disposition | undefined {
  if (outcome.decision?.$case !== "failure") return undefined;
  const { code, message } = outcome.decision.value;
  const afterMs = retryAfterMs({
    code,
    tries,
    nowMs: clock.now(),
    deadlineMs: envelope.deadlineMs,
    jitter: Math.random(),
  });
  if (afterMs === undefined) return undefined;
  log.log("warn", "a hop is tried again", { ...place(envelope), code: labelOf(code), reason: message, tries, afterMs });
  return { kind: "retry", afterMs, reason: `${labelOf(code)}: ${message}` };
}

/** The effect did not happen: keep the message and try the whole hop again; its ids make repeats harmless. */
function unpublished(envelope: Envelope, tries: number, { clock, log }: DeliverTools, error: unknown): Disposition {
  const known = toDynamosError(error, ErrorCode.BROKER_UNAVAILABLE, "the broker did not confirm");
  log.log("error", "an outcome could not be published", {
    ...place(envelope),
    code: known.label,
    reason: known.message,
  });
  const afterMs = retryAfterMs({
    code: ErrorCode.BROKER_UNAVAILABLE,
    tries,
    nowMs: clock.now(),
    deadlineMs: envelope.deadlineMs,
    jitter: Math.random(),
  });
  const reason = `${known.label}: ${known.message}`;
  return afterMs === undefined ? { kind: "dead-letter", reason } : { kind: "retry", afterMs, reason };
}

function ended(envelope: Envelope, outcome: Outcome, log: Log): Disposition {
  if (outcome.decision?.$case !== "failure") return { kind: "done" };
  const { code, message } = outcome.decision.value;
  log.log("warn", "a hop failed", { ...place(envelope), code: labelOf(code), reason: message });
  return rowOf(code).delivery === "answer" || code === ErrorCode.CANCELLED
    ? { kind: "done" }
    : { kind: "dead-letter", reason: `${labelOf(code)}: ${message}` };
}

function place(envelope: Envelope) {
  return { queryId: envelope.queryId, chain: envelope.chain?.id ?? "", step: envelope.step, hop: envelope.hop };
}
