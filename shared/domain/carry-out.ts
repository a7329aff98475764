/** What must be published for an outcome: pure, so that the sidecar only does what is listed here. */
import {
  type Comparison,
  type Envelope,
  ErrorCode,
  type Failure,
  type HopRecord,
  type Input,
  type Outcome,
  type Payload,
  type Plan,
  type Refusal,
  type Reply,
} from "#contracts";
import { mayLeave } from "./egress.ts";
import { nextHop } from "./next-hop.ts";
import { isComparing } from "./reuse.ts";
import { gatherTopic, hopId, replyId, stepTopic } from "./route.ts";

export type Effect =
  | { readonly kind: "send"; readonly id: string; readonly routingKey: string; readonly envelope: Envelope }
  | { readonly kind: "reply"; readonly routingKey: string; readonly reply: Reply };

/** The messages that an outcome of `envelope`'s hop causes, in the order in which they are published. */
export function effectsOf(envelope: Envelope, outcome: Outcome, record: HopRecord): Effect[] {
  const done: Envelope = { ...envelope, trail: [...envelope.trail, record] };
  const decision = outcome.decision;
  switch (decision?.$case) {
    case "forward":
      return forwardEffects(done, decision.value.payload);
    case "fanOut":
      return fanOutEffects(done, decision.value.plan, decision.value.envelopes);
    case "refusal":
      return refusalEffects(done, decision.value);
    case "failure":
      return failureEffects(done, decision.value);
    case "comparison":
      return comparisonEffects(done, decision.value);
    case undefined:
      return failureEffects(done, failureAt(done, ErrorCode.INTERNAL, "the step decided nothing"));
  }
}

/** What tells the asker, and the gather that waits for it, that this chain has ended without a result. */
export function failureEffects(envelope: Envelope, failure: Failure): Effect[] {
  const placed = {
    ...failure,
    party: failure.party || envelope.party,
    step: failure.step || envelope.step,
  };
  return [...failedPart(envelope, placed), reply(envelope, { $case: "failure", value: placed })];
}

export function failureAt(envelope: Envelope, code: ErrorCode, message: string): Failure {
  return { code, message, party: envelope.party, step: envelope.step };
}

function forwardEffects(envelope: Envelope, payload: Payload | undefined): Effect[] {
  const content = payload?.content;
  if (payload === undefined || content === undefined) {
    return failureEffects(envelope, failureAt(envelope, ErrorCode.INTERNAL, "the step forwarded nothing"));
  }
  const next = nextHop(envelope, payload);
  if (next !== undefined) {
    return [send(next, {})];
  }
  const refusal = mayLeave(envelope);
  if (refusal !== undefined) {
    return failureEffects(envelope, failureAt(envelope, ErrorCode.DENIED, refusal));
  }
  if (envelope.gather !== undefined) {
    return [part(envelope, { provider: envelope.party, payload, failure: undefined })];
  }
  if (content.$case !== "result") {
    return failureEffects(envelope, failureAt(envelope, ErrorCode.INTERNAL, "the chain ended without a result"));
  }
  return [reply(envelope, { $case: "result", value: content.value })];
}

function fanOutEffects(envelope: Envelope, plan: Plan | undefined, envelopes: Envelope[]): Effect[] {
  // Only the control chain starts chains; a step that has seen data can't.
  if (envelope.chain?.id !== "" || plan === undefined) {
    return failureEffects(envelope, failureAt(envelope, ErrorCode.DENIED, "a data step may not start chains"));
  }
  const announce = reply(envelope, { $case: "plan", value: plan });
  const starts = envelopes.map((first) => send(first, { replyTo: envelope.replyTo, trail: envelope.trail }));
  return [announce, ...starts];
}

/** One bit, which is about the party's data as a table is: it leaves where a table may. */
function comparisonEffects(envelope: Envelope, comparison: Comparison): Effect[] {
  const refusal = isComparing(envelope) ? mayLeave(envelope) : "nobody asks whether the data is as it was";
  return refusal === undefined
    ? [reply(envelope, { $case: "comparison", value: comparison })]
    : failureEffects(envelope, failureAt(envelope, ErrorCode.DENIED, refusal));
}

function refusalEffects(envelope: Envelope, refusal: Refusal): Effect[] {
  const first = refusal.reasons[0];
  const failed = failedPart(
    envelope,
    failureAt(envelope, first?.code ?? ErrorCode.DENIED, first?.message ?? "refused without a reason"),
  );
  return [...failed, reply(envelope, { $case: "refusal", value: refusal })];
}

/** What a gather makes of its parts: the first hop of the compute provider's chain. */
export function mergedEffect(merged: Envelope): Effect {
  return send(merged, {});
}

function send(envelope: Envelope, change: Partial<Envelope>): Effect {
  const next: Envelope = { ...envelope, ...change, knowledge: undefined, goesOnWith: [] };
  return {
    kind: "send",
    id: hopId(next.queryId, next.chain?.id ?? "", next.hop, next.attempt),
    routingKey: stepTopic(next.party, next.step),
    envelope: next,
  };
}

/** The last hop of a provider's chain: its table, or its failure, on the way to the gather. */
function part(envelope: Envelope, input: Input): Effect {
  const gather = envelope.gather;
  const hop = envelope.chain?.steps.length ?? envelope.hop + 1;
  const next: Envelope = { ...envelope, hop, inputs: [input], knowledge: undefined, goesOnWith: [] };
  return {
    kind: "send",
    id: hopId(next.queryId, next.chain?.id ?? "", hop, next.attempt),
    routingKey: gatherTopic(gather?.party ?? ""),
    envelope: next,
  };
}

function failedPart(envelope: Envelope, failure: Failure): Effect[] {
  return envelope.gather === undefined
    ? []
    : [part(envelope, { provider: envelope.party, payload: undefined, failure })];
}

function reply(envelope: Envelope, content: NonNullable<Reply["content"]>): Effect {
  const chain = envelope.chain?.id ?? "";
  return {
    kind: "reply",
    routingKey: envelope.replyTo,
    reply: {
      id: replyId(envelope.queryId, chain, envelope.attempt),
      queryId: envelope.queryId,
      attempt: envelope.attempt,
      party: envelope.party,
      chain,
      content,
      trail: envelope.trail,
    },
  };
}
