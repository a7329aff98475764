/**
 * Exchanges and queues, declared in one place and idempotently. Only what RabbitMQ 3.10 to 4.x all
 * have. Everything that is a party's own begins with its name, so that its broker user may be
 * held to that: docs/broker.md.
 */
import type { Channel, Options } from "amqplib";
import { limits } from "#domain/limits";
import { deadLetterExchange, deadLetterQueue, exchange, retryQueue } from "#domain/route";
import type { Queue } from "#ports/broker";

/**
 * A message that waits for its next try lies in the queue of the first delay that is long
 * enough. The delays are few and fixed, so a queue's messages expire in order and none holds
 * up another.
 */
export const retryDelaysMs = [50, 100, 200, 400, 800, 1_600, 3_200] as const;

/** `classic`: durable, on one node. `quorum`: on a majority of a cluster's nodes. */
export type QueueType = "classic" | "quorum";

export interface QueueLimits {
  readonly messagesMax: number;
  readonly bytesMax: number;
}

export interface Names {
  readonly exchange: string;
  readonly deadLetterExchange: string;
  /** Of the party; also its routing key. */
  readonly deadLetterQueue: string;
  readonly deadLetterKey: string;
  retryExchange(delayMs: number): string;
  queue(name: string): string;
  /** Routing key that leads to this queue and no other. */
  keyOf(queue: string): string;
}

/** @param prefix keeps several systems on one broker apart; empty as a rule */
export function namesWith(prefix: string, party: string): Names {
  const deadLetterKey = deadLetterQueue(party);
  return {
    exchange: prefix + exchange,
    deadLetterExchange: prefix + deadLetterExchange,
    deadLetterQueue: prefix + deadLetterKey,
    deadLetterKey,
    retryExchange: (delayMs) => prefix + retryQueue(party, delayMs),
    queue: (name) => prefix + name,
    keyOf: (queue) => `${queue}.again`,
  };
}

export function retryDelayFor(afterMs: number): number {
  return retryDelaysMs.find((delayMs) => delayMs >= afterMs) ?? retryDelaysMs[retryDelaysMs.length - 1] ?? afterMs;
}

export interface Topology {
  readonly names: Names;
  readonly queueType: QueueType;
  readonly queueLimits: QueueLimits;
}

export async function declareBase(channel: Channel, { names, queueType }: Topology): Promise<void> {
  await channel.assertExchange(names.exchange, "topic", { durable: true });
  await channel.assertExchange(names.deadLetterExchange, "direct", { durable: true });
  await channel.assertQueue(names.deadLetterQueue, {
    ...durable(queueType),
    // The oldest go: a queue that nobody looks at must not fill the disk.
    maxLength: limits.deadLettersMax,
    arguments: { ...durable(queueType).arguments, "x-max-length-bytes": limits.deadLetterBytesMax },
  });
  await channel.bindQueue(names.deadLetterQueue, names.deadLetterExchange, names.deadLetterKey);
  for (const delayMs of retryDelaysMs) {
    const name = names.retryExchange(delayMs);
    await channel.assertExchange(name, "fanout", { durable: true });
    // Back by its own routing key, which leads to the very queue that it came from.
    await channel.assertQueue(name, { ...durable(queueType), messageTtl: delayMs, deadLetterExchange: names.exchange });
    await channel.bindQueue(name, name, "");
  }
}

export async function declareQueue(channel: Channel, topology: Topology, wanted: Queue): Promise<void> {
  const { names } = topology;
  const { name, bindings, kind } = wanted;
  const queue = names.queue(name);
  await channel.assertQueue(
    queue,
    kind === "private" ? { exclusive: true, autoDelete: true, durable: false } : workQueue(topology, wanted),
  );
  for (const binding of kind === "private" ? bindings : [...bindings, names.keyOf(name)]) {
    await channel.bindQueue(queue, names.exchange, binding);
  }
}

function workQueue({ names, queueType, queueLimits }: Topology, { singleActive }: Queue): Options.AssertQueue {
  const { arguments: type, ...options } = durable(queueType);
  return {
    ...options,
    deadLetterExchange: names.deadLetterExchange,
    deadLetterRoutingKey: names.deadLetterKey,
    maxLength: queueLimits.messagesMax,
    arguments: {
      ...type,
      "x-max-length-bytes": queueLimits.bytesMax,
      // A full queue says so to the publisher; the default drops its oldest message.
      "x-overflow": "reject-publish",
      ...(queueType === "quorum" ? { "x-delivery-limit": limits.redeliveriesMax } : {}),
      ...(singleActive ? { "x-single-active-consumer": true } : {}),
    },
  };
}

function durable(queueType: QueueType): Options.AssertQueue {
  return { durable: true, arguments: queueType === "quorum" ? { "x-queue-type": "quorum" } : {} };
}
