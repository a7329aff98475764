/** Back to their queues: messages whose wait for the next try is over. */
import type { ConsumeMessage } from "amqplib";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import {
  deadLetterProperties,
  deliveryOf,
  expired,
  hasExpired,
  queueToReturnTo,
  returnedProperties,
} from "./message.ts";
import type { Session } from "./session.ts";
import { type Names, retryDelaysMs } from "./topology.ts";

export interface ReturnsWorld {
  readonly session: Session;
  readonly names: Names;
  readonly clock: Clock;
}

export const returnsPrefetch = 16;

/** Where its queue is full it waits once more; where that is gone it is a dead letter. */
export async function giveBack(world: ReturnsWorld, raw: ConsumeMessage): Promise<"acknowledge"> {
  const { session, names, clock } = world;
  const queue = queueToReturnTo(raw);
  const properties = returnedProperties(raw);
  if (hasExpired(raw, clock.now())) return putAside(world, raw, expired);
  try {
    await session.publish(names.outlet, names.keyOf(queue), raw.content, properties);
  } catch (error) {
    if (!(error instanceof DynamosError) || error.code === ErrorCode.BROKER_UNAVAILABLE) throw error;
    if (error.code !== ErrorCode.OVERLOADED) return putAside(world, raw, `${error.label}: the queue ${queue} is gone`);
    await session.publish(
      names.retryExchange(retryDelaysMs[retryDelaysMs.length - 1] ?? 0),
      "",
      raw.content,
      properties,
    );
  }
  return "acknowledge";
}

async function putAside({ session, names, clock }: ReturnsWorld, raw: ConsumeMessage, reason: string) {
  const queue = queueToReturnTo(raw);
  const sender = deliveryOf(raw, queue, names.user)?.sender;
  const properties = deadLetterProperties(raw, { queue, reason, atMs: clock.now() }, sender);
  await session.publish(names.deadLetterExchange, names.deadLetterKey, raw.content, properties);
  return "acknowledge" as const;
}
