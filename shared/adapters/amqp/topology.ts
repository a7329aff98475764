/** Exchanges and queues, declared in one place and idempotently. Only what RabbitMQ 3.10 to 4.x all have. */
import type { Channel } from "amqplib";
import { deadLetterExchange, deadLetterQueue, exchange } from "#domain/route";
import type { Queue } from "#ports/broker";

/**
 * A message that waits for its next try lies in the queue of the first delay that is long
 * enough. The delays are few and fixed, so a queue's messages expire in order and none holds
 * up another.
 */
export const retryDelaysMs = [50, 100, 200, 400, 800, 1_600, 3_200] as const;

export interface Names {
  readonly exchange: string;
  readonly deadLetterExchange: string;
  readonly deadLetterQueue: string;
  retryExchange(delayMs: number): string;
  queue(name: string): string;
}

/** @param prefix keeps several systems on one broker apart; empty as a rule */
export function namesWith(prefix: string): Names {
  return {
    exchange: prefix + exchange,
    deadLetterExchange: prefix + deadLetterExchange,
    deadLetterQueue: prefix + deadLetterQueue,
    retryExchange: (delayMs) => `${prefix}dynamos.retry.${delayMs}`,
    queue: (name) => prefix + name,
  };
}

export function retryDelayFor(afterMs: number): number {
  return retryDelaysMs.find((delayMs) => delayMs >= afterMs) ?? retryDelaysMs[retryDelaysMs.length - 1] ?? afterMs;
}

export async function declareBase(channel: Channel, names: Names): Promise<void> {
  await channel.assertExchange(names.exchange, "topic", { durable: true });
  await channel.assertExchange(names.deadLetterExchange, "fanout", { durable: true });
  await channel.assertQueue(names.deadLetterQueue, { durable: true });
  await channel.bindQueue(names.deadLetterQueue, names.deadLetterExchange, "");
  for (const delayMs of retryDelaysMs) {
    const name = names.retryExchange(delayMs);
    await channel.assertExchange(name, "fanout", { durable: true });
    // Back through the default exchange: the routing key is the very queue that it came from.
    await channel.assertQueue(name, { durable: true, messageTtl: delayMs, deadLetterExchange: "" });
    await channel.bindQueue(name, name, "");
  }
}

export async function declareQueue(channel: Channel, names: Names, wanted: Queue): Promise<void> {
  const { name, bindings, kind, singleActive } = wanted;
  const queue = names.queue(name);
  await channel.assertQueue(
    queue,
    kind === "private"
      ? { exclusive: true, autoDelete: true, durable: false }
      : {
          durable: true,
          deadLetterExchange: names.deadLetterExchange,
          arguments: singleActive ? { "x-single-active-consumer": true } : {},
        },
  );
  for (const binding of bindings) {
    await channel.bindQueue(queue, names.exchange, binding);
  }
}
