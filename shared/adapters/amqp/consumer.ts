/** One consumer on its own channel: each delivery ends with what its handler returned. */
import { setTimeout as wait } from "node:timers/promises";
import type { Channel, ConsumeMessage } from "amqplib";
import { limits } from "#domain/limits";
import type { Delivery, Disposition } from "#ports/broker";
import type { Clock } from "#ports/clock";
import {
  deadLetterProperties,
  deliveryOf,
  expired,
  hasExpired,
  redeliveredProperties,
  redeliveriesOf,
  retryProperties,
} from "./message.ts";
import type { Session } from "./session.ts";
import { type Names, retryDelayFor } from "./topology.ts";

export interface ConsumerSpec {
  readonly queue: string;
  readonly prefetch: number;
  readonly handler: (delivery: Delivery) => Promise<Disposition>;
}

export interface RunningConsumer {
  /** Takes no more and resolves when what is in hand is settled. */
  cancel(): Promise<void>;
}

export interface ConsumerWorld {
  readonly spec: ConsumerSpec;
  readonly session: Session;
  readonly names: Names;
  readonly clock: Clock;
  /** Whether the queue's type leaves that to us. */
  readonly countsRedeliveries: boolean;
  /** The broker ended it: it took the queue away or closed the channel. */
  readonly onStopped: (reason: string) => void;
}

/** A message that can be neither moved nor acknowledged goes back to its queue after this, not in a loop. */
const giveBackMs = 1_000;
const poison = "WORKER_CRASHED: every consumer died with it in hand";

export async function runConsumer(world: ConsumerWorld): Promise<RunningConsumer> {
  const { spec, session, names, onStopped } = world;
  const channel = await session.openChannel();
  const inHand = new Set<Promise<void>>();
  let stopping = false;
  let because = "closed";

  function stopped(reason: string): void {
    if (stopping) return;
    stopping = true;
    onStopped(reason);
  }

  function take(raw: ConsumeMessage | null): void {
    if (raw === null) {
      stopped("its queue is gone");
      void channel.close().catch(() => {});
      return;
    }
    if (stopping || session.over.aborted) {
      answer(() => channel.nack(raw, false, true));
      return;
    }
    const work = handle(world, channel, raw).finally(() => inHand.delete(work));
    inHand.add(work);
  }

  channel.on("error", (error: Error) => {
    because = error.message;
  });
  channel.on("close", () => stopped(because));
  await channel.prefetch(spec.prefetch);
  const { consumerTag } = await channel.consume(names.queue(spec.queue), take);
  return {
    cancel: async () => {
      stopping = true;
      await channel.cancel(consumerTag).catch(() => {});
      while (inHand.size > 0) await Promise.all(inHand);
      await channel.close().catch(() => {});
    },
  };
}

/** Never rejects: nobody could take it. */
async function handle(world: ConsumerWorld, channel: Channel, raw: ConsumeMessage): Promise<void> {
  const { spec, session, clock } = world;
  const delivery = deliveryOf(raw, spec.queue);
  if (raw.fields.redelivered && world.countsRedeliveries && (await countedAgain(world, channel, raw, delivery))) return;
  const disposition =
    redeliveriesOf(raw) > limits.redeliveriesMax
      ? ({ kind: "dead-letter", reason: poison } as const)
      : await dispositionOf(spec, delivery, hasExpired(raw, clock.now()));
  try {
    await move(world, raw, delivery, disposition);
  } catch {
    await wait(giveBackMs, undefined, { signal: session.over }).catch(() => {});
    answer(() => channel.nack(raw, false, true));
    return;
  }
  answer(() => (disposition.kind === "return" ? channel.nack(raw, false, true) : channel.ack(raw)));
}

/**
 * Classic queues do not count how often a message came back from a consumer that died, so it goes
 * to the end of its queue with its count, before anyone works on it.
 */
async function countedAgain(
  { spec, session, names }: ConsumerWorld,
  channel: Channel,
  raw: ConsumeMessage,
  delivery: Delivery | undefined,
): Promise<boolean> {
  if (delivery === undefined) return false;
  try {
    const properties = redeliveredProperties(raw, delivery, redeliveriesOf(raw) + 1);
    await session.publish(names.exchange, names.keyOf(spec.queue), raw.content, properties);
  } catch {
    // Its queue is full or the connection goes: then it is worked on uncounted.
    return false;
  }
  answer(() => channel.ack(raw));
  return true;
}

async function dispositionOf(spec: ConsumerSpec, delivery: Delivery | undefined, late: boolean): Promise<Disposition> {
  if (delivery === undefined) return { kind: "dead-letter", reason: "ENVELOPE_INVALID: not a message of this system" };
  if (late) return { kind: "dead-letter", reason: expired };
  try {
    return await spec.handler(delivery);
  } catch {
    return { kind: "dead-letter", reason: "INTERNAL: the handler threw" };
  }
}

/** Resolves when the broker has the message in its next place; only then may it be acknowledged in this one. */
async function move(
  { spec, session, names, clock }: ConsumerWorld,
  raw: ConsumeMessage,
  delivery: Delivery | undefined,
  disposition: Disposition,
): Promise<void> {
  if (disposition.kind !== "retry" && disposition.kind !== "dead-letter") return;
  const attempt = { queue: spec.queue, reason: disposition.reason, atMs: clock.now() };
  if (disposition.kind === "retry" && delivery !== undefined) {
    const exchange = names.retryExchange(retryDelayFor(disposition.afterMs));
    await session.publish(exchange, names.keyOf(spec.queue), raw.content, retryProperties(raw, delivery, attempt));
  } else {
    const properties = deadLetterProperties(raw, attempt);
    await session.publish(names.deadLetterExchange, names.deadLetterKey, raw.content, properties);
  }
}

/** On a channel that has closed meanwhile nothing can be answered, nor need be: the broker delivers again what it held. */
function answer(send: () => void): void {
  try {
    send();
  } catch {
    // Closed.
  }
}
