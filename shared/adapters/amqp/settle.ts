/** What becomes of a delivery: it is in its next place, confirmed, before it is acknowledged in this one. */
import type { ConsumeMessage } from "amqplib";
import { limits } from "#domain/limits";
import type { Delivery, Disposition } from "#ports/broker";
import type { Clock } from "#ports/clock";
import {
  deadLetterProperties,
  deliveryOf,
  expired,
  hasExpired,
  poison,
  redeliveredProperties,
  redeliveriesOf,
  retryProperties,
} from "./message.ts";
import type { Session } from "./session.ts";
import { type Names, retryDelayFor } from "./topology.ts";

export interface SettleWorld {
  readonly session: Session;
  readonly names: Names;
  readonly clock: Clock;
  /** Without the prefix. */
  readonly queue: string;
  readonly handler: (delivery: Delivery) => Promise<Disposition>;
  /** Whether the queue's type leaves that to us. */
  readonly countsRedeliveries: boolean;
}

export async function settle(world: SettleWorld, raw: ConsumeMessage): Promise<"acknowledge" | "return"> {
  const delivery = deliveryOf(raw, world.queue, world.names.user);
  if (raw.fields.redelivered && world.countsRedeliveries && (await countedAgain(world, raw, delivery))) {
    return "acknowledge";
  }
  const disposition = await dispositionOf(world, raw, delivery);
  if (disposition.kind === "return") return "return";
  await move(world, raw, delivery, disposition);
  return "acknowledge";
}

/**
 * Classic queues do not count how often a message came back from a consumer that died, so it goes
 * to the end of its queue with its count, before anyone works on it.
 */
async function countedAgain(
  { session, names, queue, clock }: SettleWorld,
  raw: ConsumeMessage,
  delivery: Delivery | undefined,
): Promise<boolean> {
  if (delivery === undefined) return false;
  try {
    const properties = redeliveredProperties(raw, delivery, clock.now());
    await session.publish(names.outlet, names.keyOf(queue), raw.content, properties);
    return true;
  } catch {
    // Its queue is full or the connection goes: then it is worked on uncounted.
    return false;
  }
}

async function dispositionOf(
  { handler, clock }: SettleWorld,
  raw: ConsumeMessage,
  delivery: Delivery | undefined,
): Promise<Disposition> {
  if (delivery === undefined) return deadLetter("ENVELOPE_INVALID: not a message of this system");
  if (redeliveriesOf(raw) > limits.redeliveriesMax) return deadLetter(poison);
  if (hasExpired(raw, clock.now())) return deadLetter(expired);
  try {
    return await handler(delivery);
  } catch {
    return deadLetter("INTERNAL: the handler threw");
  }
}

function deadLetter(reason: string): Disposition {
  return { kind: "dead-letter", reason };
}

/** Resolves when the broker has the message in its next place. */
async function move(
  { queue, session, names, clock }: SettleWorld,
  raw: ConsumeMessage,
  delivery: Delivery | undefined,
  disposition: Disposition,
): Promise<void> {
  if (disposition.kind !== "retry" && disposition.kind !== "dead-letter") return;
  const attempt = { queue, reason: disposition.reason, atMs: clock.now() };
  if (disposition.kind === "retry" && delivery !== undefined) {
    const exchange = names.retryExchange(retryDelayFor(disposition.afterMs));
    await session.publish(exchange, names.keyOf(queue), raw.content, retryProperties(raw, delivery, attempt));
  } else {
    const properties = deadLetterProperties(raw, attempt, delivery?.sender);
    await session.publish(names.deadLetterExchange, names.deadLetterKey, raw.content, properties);
  }
}
