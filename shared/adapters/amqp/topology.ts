/**
 * Exchanges and queues, declared in one place and idempotently. Only what RabbitMQ 3.10 to 4.x all
 * have. Everything that is a party's own begins with its name, so that its broker user may be
 * held to that: docs/broker.md.
 */
import type { Channel, Options } from "amqplib";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import {
  deadLetterExchange,
  deadLetterQueue,
  exchange,
  gatherTopic,
  inletExchange,
  outletExchange,
  retryQueue,
  returnsQueue,
} from "#domain/route";
import { DynamosError } from "#errors";
import type { Queue, QueueLimits } from "#ports/broker";

/**
 * A message that waits for its next try lies in the queue of the first delay that is long
 * enough. The delays are few and fixed, so a queue's messages expire in order and none holds
 * up another.
 */
export const retryDelaysMs = [50, 100, 200, 400, 800, 1_600, 3_200] as const;

/** `classic`: durable, on one node. `quorum`: on a majority of a cluster's nodes. */
export type QueueType = "classic" | "quorum";

export interface Names {
  /** The party's own broker user; undefined: several share one. */
  readonly user: string | undefined;
  /** Where queues are bound; with a user of its own an exchange of its own, which others can't bind to. */
  readonly exchange: string;
  /** Where this party publishes; with a user of its own an exchange of its own, which lets through what it may send. */
  readonly outlet: string;
  readonly deadLetterExchange: string;
  /** Of the party; also its routing key. */
  readonly deadLetterQueue: string;
  readonly deadLetterKey: string;
  retryExchange(delayMs: number): string;
  /** Exchange and queue of messages whose wait is over. */
  readonly returns: string;
  queue(name: string): string;
  /** Routing key that leads to this queue and no other. */
  keyOf(queue: string): string;
}

/**
 * @param prefix keeps several systems on one broker apart; empty as a rule
 * @param user the party's own broker user, if it has one
 */
export function namesWith(prefix: string, party: string, user?: string): Names {
  const deadLetterKey = deadLetterQueue(party);
  const outlet = user === undefined ? exchange : outletExchange(party);
  return {
    user,
    exchange: prefix + (user === undefined ? exchange : inletExchange(party)),
    outlet: prefix + outlet,
    // One that all share would let each fill, and bind, the dead letters of the others.
    deadLetterExchange: prefix + (user === undefined ? deadLetterExchange : outlet),
    deadLetterQueue: prefix + deadLetterKey,
    deadLetterKey,
    returns: prefix + returnsQueue(party),
    retryExchange: (delayMs) => prefix + retryQueue(party, delayMs),
    queue: (name) => prefix + name,
    keyOf: (queue) => `${queue}.again`,
  };
}

/** Without those of its steps. That of its gathers is there only where it computes for others. */
export function partyQueues(party: string): string[] {
  const retries = retryDelaysMs.map((delayMs) => retryQueue(party, delayMs));
  return [gatherTopic(party), deadLetterQueue(party), returnsQueue(party), ...retries];
}

export function retryDelayFor(afterMs: number): number {
  return retryDelaysMs.find((delayMs) => delayMs >= afterMs) ?? retryDelaysMs[retryDelaysMs.length - 1] ?? afterMs;
}

export interface Topology {
  readonly names: Names;
  readonly queueType: QueueType;
  readonly queueLimits: QueueLimits;
}

export async function declareBase(channel: Channel, { names, queueType, queueLimits }: Topology): Promise<void> {
  if (names.user === undefined) {
    await channel.assertExchange(names.exchange, "topic", { durable: true });
    await channel.assertExchange(names.deadLetterExchange, "direct", { durable: true });
  } else {
    // Of the definitions: a party may neither make nor take away what holds it to its role.
    for (const name of [names.exchange, names.outlet]) {
      await channel.checkExchange(name).catch((cause: unknown) => {
        const message = `the broker has no exchange ${name}: import the definitions that \`dynamos broker definitions\` makes`;
        throw new DynamosError(ErrorCode.BROKER_UNAVAILABLE, message, { cause });
      });
    }
  }
  await channel.assertQueue(names.deadLetterQueue, {
    ...durable(queueType),
    // The oldest go: a queue that nobody looks at must not fill the disk.
    maxLength: limits.deadLettersMax,
    arguments: { ...durable(queueType).arguments, "x-max-length-bytes": limits.deadLetterBytesMax },
  });
  await channel.bindQueue(names.deadLetterQueue, names.deadLetterExchange, names.deadLetterKey);
  await channel.assertExchange(names.returns, "fanout", { durable: true });
  await channel.assertQueue(names.returns, returnsQueueOf(queueType, queueLimits));
  await channel.bindQueue(names.returns, names.returns, "");
  for (const delayMs of retryDelaysMs) {
    const name = names.retryExchange(delayMs);
    await channel.assertExchange(name, "fanout", { durable: true });
    // Not straight to the queue that it came from: where that is full or gone the broker would drop it without a word.
    await channel.assertQueue(name, {
      durable: true,
      messageTtl: delayMs,
      deadLetterExchange: names.returns,
      // Full, it refuses a message, which then stays in the queue that it comes from.
      maxLength: queueLimits.messagesMax,
      arguments: { ...durable(queueType).arguments, ...keptUntilTaken(queueType), ...boundOf(queueLimits) },
    });
    await channel.bindQueue(name, name, "");
  }
}

export async function declareQueue(channel: Channel, topology: Topology, wanted: Queue): Promise<void> {
  const { names } = topology;
  const { name, bindings, kind } = wanted;
  const queue = names.queue(name);
  await channel.assertQueue(
    queue,
    // Its owner takes it along when it leaves; it outlives a lost connection, and its owner's death only for a while.
    kind === "private" ? privateQueue(topology) : workQueue(topology, wanted),
  );
  for (const binding of [...bindings, names.keyOf(name)]) {
    await channel.bindQueue(queue, names.exchange, binding);
  }
}

/**
 * Of the type of all others: a classic one is away as long as the node that had it, and whoever answers meanwhile finds
 * nobody. What an operator sets as limits is for work, not for replies.
 */
function privateQueue({ queueType }: Topology): Options.AssertQueue {
  const args = { ...durable(queueType).arguments, ...boundOf({ bytesMax: limits.queueBytesMax }) };
  return { durable: true, expires: limits.privateQueueMs, maxLength: limits.queueMessagesMax, arguments: args };
}

/**
 * Without a bound where it is classic: what it refuses, a classic queue of waiting messages would drop
 * (rabbitmq.com/docs/dlx, Safety). What comes into it has passed the bound of those queues.
 */
function returnsQueueOf(queueType: QueueType, queueLimits: QueueLimits): Options.AssertQueue {
  if (queueType === "classic") return durable("classic");
  const args = { ...durable("quorum").arguments, ...boundOf(queueLimits) };
  return { durable: true, maxLength: queueLimits.messagesMax, arguments: args };
}

/** A full queue says so to the publisher; the default drops its oldest message. */
function boundOf({ bytesMax }: Pick<QueueLimits, "bytesMax">): Record<string, number | string> {
  return { "x-max-length-bytes": bytesMax, "x-overflow": "reject-publish" };
}

function workQueue({ names, queueType, queueLimits }: Topology, { singleActive }: Queue): Options.AssertQueue {
  return {
    durable: true,
    deadLetterExchange: names.deadLetterExchange,
    deadLetterRoutingKey: names.deadLetterKey,
    maxLength: queueLimits.messagesMax,
    arguments: {
      ...durable(queueType).arguments,
      ...keptUntilTaken(queueType),
      ...boundOf(queueLimits),
      ...(queueType === "quorum" ? { "x-delivery-limit": limits.redeliveriesMax } : {}),
      ...(singleActive ? { "x-single-active-consumer": true } : {}),
    },
  };
}

/** Only a quorum queue keeps a dead letter until the next queue has it; the broker asks for the second to allow the first. */
function keptUntilTaken(queueType: QueueType): Record<string, string> {
  return queueType === "quorum" ? { "x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish" } : {};
}

/** The type is always said: a broker or vhost may have another default. */
function durable(queueType: QueueType): Options.AssertQueue {
  return { durable: true, arguments: { "x-queue-type": queueType } };
}
