/** Publishes effects: encodes, keeps the deadline as expiry, and turns what nobody takes into a failure that the asker hears. */
import { Envelope, ErrorCode, Reply } from "#contracts";
import { type Effect, failureAt, failureEffects } from "#domain/carry-out";
import { replyTransfers, transferNames } from "#domain/transferred";
import { type DynamosError, toDynamosError } from "#errors";
import type { Broker } from "#ports/broker";
import type { Clock } from "#ports/clock";
import type { Log } from "#ports/log";
import { dropTransfers } from "./drop-transfers.ts";

export interface Outbox {
  /**
   * Resolves when the broker has confirmed all of them.
   * @throws DynamosError BROKER_UNAVAILABLE: nothing is known of the rest, publish again (ids make that harmless)
   */
  publish(effects: readonly Effect[]): Promise<void>;
}

type ReplyEffect = Extract<Effect, { kind: "reply" }>;

export function createOutbox(broker: Broker, clock: Clock, log: Log): Outbox {
  async function publishOne(effect: Effect): Promise<void> {
    try {
      await broker.publish(messageOf(effect, clock.now()));
    } catch (error) {
      const known = toDynamosError(error, ErrorCode.BROKER_UNAVAILABLE, "the broker did not take a message");
      if (known.code === ErrorCode.BROKER_UNAVAILABLE) {
        throw known;
      }
      await undeliverable(effect, known);
    }
  }

  /** No queue takes it, or it is too large: final for this chain, so the asker is told at once. */
  async function undeliverable(effect: Effect, error: DynamosError): Promise<void> {
    await dropTransfers(transfersOf(effect), broker.transfers, log);
    if (effect.kind === "reply") {
      await undeliverableReply(effect, error);
      return;
    }
    const { envelope } = effect;
    const where = `${envelope.party} has no ${effect.routingKey.split(".").at(-1)} function or its sidecar never came up`;
    const message = error.code === ErrorCode.UNROUTABLE ? where : error.message;
    const told = failureEffects(envelope, failureAt(envelope, error.code, message));
    // The asker first: what the gather makes of it says less. And that not, if it is what could not be told.
    for (const next of told.filter(({ kind }) => kind === "reply")) await publishOne(next);
    for (const next of told.filter(({ kind }) => kind === "send")) {
      if (next.routingKey !== effect.routingKey) await publishOne(next);
    }
  }

  /** What it says can't be sent; that it can't is said in its place. */
  async function undeliverableReply(effect: ReplyEffect, { code, label, message }: DynamosError): Promise<void> {
    const { reply } = effect;
    if (code === ErrorCode.UNROUTABLE || reply.content?.$case === "failure") {
      log.log("warn", "nobody takes a reply: the asker is gone", { queryId: reply.queryId, code: label });
      return;
    }
    const failure = { code, message, party: reply.party, step: reply.trail.at(-1)?.step ?? "" };
    await publishOne({ ...effect, reply: { ...reply, content: { $case: "failure", value: failure } } });
  }

  return {
    publish: async (effects) => {
      await Promise.all(effects.map(publishOne));
    },
  };
}

function transfersOf(effect: Effect): string[] {
  return effect.kind === "send" ? transferNames(effect.envelope.inputs) : replyTransfers(effect.reply);
}

function messageOf(effect: Effect, nowMs: number) {
  if (effect.kind === "reply") {
    const { reply } = effect;
    return {
      id: reply.id,
      routingKey: effect.routingKey,
      type: "reply" as const,
      queryId: reply.queryId,
      body: Reply.encode(reply).finish(),
      traceparent: "",
    };
  }
  const { envelope } = effect;
  return {
    id: effect.id,
    routingKey: effect.routingKey,
    type: "envelope" as const,
    queryId: envelope.queryId,
    body: Envelope.encode(envelope).finish(),
    traceparent: envelope.traceparent,
    expiresInMs: Math.max(1, envelope.deadlineMs - nowMs),
  };
}
