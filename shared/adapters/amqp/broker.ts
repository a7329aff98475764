/** RabbitMQ behind the broker port: one connection per party that comes back by itself, with its queues and consumers. */
import { setTimeout as wait } from "node:timers/promises";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Broker, BrokerStatus, Consumer, DeadLetter, HeldDeadLetter, Message, Queue } from "#ports/broker";
import type { Clock } from "#ports/clock";
import type { Log } from "#ports/log";
import type { Transfers } from "#ports/transfers";
import { systemClock } from "../system/clock.ts";
import { Connection } from "./connection.ts";
import { type ConsumerSpec, type RunningConsumer, runConsumer } from "./consumer.ts";
import { visitDeadLetters } from "./dead-letters.ts";
import { deadLetterOf, propertiesOf } from "./message.ts";
import { named, type Session } from "./session.ts";
import { declareQueue, type Names, namesWith, type QueueLimits, type QueueType, type Topology } from "./topology.ts";
import { createAmqpTransfers } from "./transfers.ts";

export interface AmqpOptions {
  /** `amqp://user:password@host:port/vhost`. */
  readonly url: string;
  readonly party: string;
  readonly log: Log;
  /** Before every name, so that several systems can share a broker. */
  readonly prefix?: string;
  /** How long a publish waits for a lost connection to come back. */
  readonly publishWaitMs?: number;
  /** How long it then waits for the broker's confirm. */
  readonly publishConfirmMs?: number;
  /** Tells whether a message has expired by its next try. */
  readonly clock?: Clock;
  /** Absent: `classic`. Queues that are there keep their type: changing it needs new ones. */
  readonly queueType?: QueueType;
  /** Absent: those of domain/limits. */
  readonly queueLimits?: Partial<QueueLimits>;
}

/** Between the end of one consumer's channel and its next. */
const restartMs = 500;

/** @throws DynamosError BROKER_UNAVAILABLE when the first connection can't be made */
export async function connectAmqp(options: AmqpOptions): Promise<Broker> {
  const broker = new AmqpBroker(options);
  await broker.start();
  return broker;
}

class AmqpBroker implements Broker {
  readonly transfers: Transfers;
  private readonly log: Log;
  private readonly clock: Clock;
  private readonly prefix: string;
  private readonly names: Names;
  private readonly topology: Topology;
  private readonly connection: Connection;
  private readonly queues = new Map<string, Queue>();
  private readonly consumers = new Map<ConsumerSpec, RunningConsumer | undefined>();

  constructor({ url, party, log, prefix = "", clock = systemClock, ...options }: AmqpOptions) {
    this.log = log.with({ party });
    this.clock = clock;
    this.prefix = prefix;
    this.names = namesWith(prefix, party);
    this.topology = {
      names: this.names,
      queueType: options.queueType ?? "classic",
      queueLimits: { messagesMax: limits.queueMessagesMax, bytesMax: limits.queueBytesMax, ...options.queueLimits },
    };
    this.connection = new Connection({
      url,
      topology: this.topology,
      log: this.log,
      waitMsMax: options.publishWaitMs ?? limits.brokerWaitMsMax,
      confirmMsMax: options.publishConfirmMs ?? limits.brokerConfirmMsMax,
      restore: (session) => this.restore(session),
    });
    this.transfers = createAmqpTransfers(this.connection, this.names);
  }

  start(): Promise<void> {
    return this.connection.start();
  }

  async declare(queues: readonly Queue[]): Promise<void> {
    await this.connection.use((session) => this.declareOn(session, queues));
    // Only what the broker took: one that it refuses would make every reconnect fail.
    for (const queue of queues) this.queues.set(queue.name, queue);
  }

  async publish(message: Message): Promise<void> {
    if (message.body.length > limits.messageBytesMax) {
      throw new DynamosError(
        ErrorCode.BODY_TOO_LARGE,
        `a message of ${message.body.length} bytes, at most ${limits.messageBytesMax}`,
      );
    }
    await this.connection.use((session) =>
      session.publish(this.names.exchange, message.routingKey, message.body, propertiesOf(message, this.clock.now())),
    );
  }

  async consume(
    queue: string,
    { prefetch }: { prefetch: number },
    handler: ConsumerSpec["handler"],
  ): Promise<Consumer> {
    const spec: ConsumerSpec = { queue, prefetch, handler };
    await this.connection.use(async (session) => {
      this.consumers.set(spec, await this.run(spec, session));
    });
    return {
      cancel: async () => {
        const running = this.consumers.get(spec);
        this.consumers.delete(spec);
        await running?.cancel();
      },
    };
  }

  takeDeadLetters(max: number): Promise<DeadLetter[]> {
    return this.connection.use(async (session) => {
      const channel = await session.openChannel();
      const taken: DeadLetter[] = [];
      try {
        while (taken.length < max) {
          const raw = await channel.get(this.names.deadLetterQueue);
          if (raw === false) break;
          taken.push(deadLetterOf(raw, this.prefix));
          channel.ack(raw);
        }
        await channel.close();
      } catch (error) {
        // Those taken so far may be gone from the broker: they must not be forgotten with the connection.
        if (taken.length === 0) throw error;
      }
      return taken;
    });
  }

  visitDeadLetters(max: number, visit: (letter: HeldDeadLetter) => Promise<void>): Promise<number> {
    const { names, prefix } = this;
    return this.connection.use((session) => visitDeadLetters({ session, names, prefix, max, visit }));
  }

  status(): BrokerStatus {
    return this.connection.status();
  }

  onStatus(listener: (status: BrokerStatus) => void): () => void {
    return this.connection.onStatus(listener);
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  private async restore(session: Session): Promise<void> {
    await this.declareOn(session, [...this.queues.values()]);
    for (const spec of [...this.consumers.keys()]) await this.resume(spec, session);
  }

  private async declareOn(session: Session, queues: readonly Queue[]): Promise<void> {
    const channel = await session.openChannel();
    try {
      for (const queue of queues) await declareQueue(channel, this.topology, queue);
      await channel.close();
    } catch (error) {
      throw named(error);
    }
  }

  private run(spec: ConsumerSpec, session: Session): Promise<RunningConsumer> {
    const { names, clock } = this;
    return runConsumer({
      spec,
      session,
      names,
      clock,
      countsRedeliveries: this.topology.queueType === "classic",
      onStopped: (reason) => void this.restart(spec, session, reason),
    });
  }

  private async resume(spec: ConsumerSpec, session: Session): Promise<void> {
    const running = await this.run(spec, session);
    // Cancelled while it started.
    if (this.consumers.has(spec)) this.consumers.set(spec, running);
    else await running.cancel();
  }

  /** The broker ended one consumer (its queue was deleted, its channel closed): the others go on. */
  private async restart(spec: ConsumerSpec, session: Session, reason: string): Promise<void> {
    if (session.over.aborted || !this.consumers.has(spec)) return;
    this.log.log("error", "the broker stopped a consumer: declaring its queue and consuming again", {
      queue: spec.queue,
      reason,
    });
    try {
      await wait(restartMs, undefined, { signal: session.over });
      if (!this.consumers.has(spec)) return;
      const queue = this.queues.get(spec.queue);
      await this.declareOn(session, queue === undefined ? [] : [queue]);
      await this.resume(spec, session);
    } catch (error) {
      session.abandon(error instanceof Error ? error.message : "a consumer can't be restarted");
    }
  }
}
