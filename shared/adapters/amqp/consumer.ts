/** One consumer on its own channel: each delivery ends with what its handler returned. */
import { setTimeout as wait } from "node:timers/promises";
import type { Channel, ConsumeMessage } from "amqplib";
import type { Delivery, Disposition } from "#ports/broker";
import type { Clock } from "#ports/clock";
import { deadLetterProperties, deliveryOf, expired, hasExpired, retryProperties } from "./message.ts";
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
  /** The broker ended it: it took the queue away or closed the channel. */
  readonly onStopped: (reason: string) => void;
}

/** A message that can be neither moved nor acknowledged goes back to its queue after this, not in a loop. */
const giveBackMs = 1_000;

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
  const disposition = await dispositionOf(spec, delivery, hasExpired(raw, clock.now()));
  try {
    await move(world, raw, delivery, disposition);
  } catch {
    await wait(giveBackMs, undefined, { signal: session.over }).catch(() => {});
    answer(() => channel.nack(raw, false, true));
    return;
  }
  answer(() => (disposition.kind === "return" ? channel.nack(raw, false, true) : channel.ack(raw)));
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
  { spec, session, names }: ConsumerWorld,
  raw: ConsumeMessage,
  delivery: Delivery | undefined,
  disposition: Disposition,
): Promise<void> {
  if (disposition.kind === "retry" && delivery !== undefined) {
    const exchange = names.retryExchange(retryDelayFor(disposition.afterMs));
    await session.publish(exchange, names.queue(spec.queue), raw.content, retryProperties(raw, delivery));
  } else if (disposition.kind === "dead-letter") {
    const properties = deadLetterProperties(raw, spec.queue, disposition.reason);
    await session.publish(names.deadLetterExchange, raw.fields.routingKey, raw.content, properties);
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
