/** RabbitMQ behind the broker port: two connections per party that come back by themselves, with queues and consumers. */
import type { Channel } from "amqplib";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { tooLarge } from "#domain/message-size";
import { DynamosError } from "#errors";
import type {
  Broker,
  BrokerStatus,
  ConsumeOptions,
  Consumer,
  Delivery,
  Disposition,
  HeldDeadLetter,
  Message,
  Queue,
  QueueLimits,
} from "#ports/broker";
import type { Clock } from "#ports/clock";
import type { Log } from "#ports/log";
import type { Transfers } from "#ports/transfers";
import { systemClock } from "../system/clock.ts";
import { Connection } from "./connection.ts";
import { runConsumer } from "./consumer.ts";
import { type ConsumerSpec, Consumers } from "./consumers.ts";
import { visitDeadLetters } from "./dead-letters.ts";
import { propertiesOf } from "./message.ts";
import { partyUserOf } from "./party-user.ts";
import { giveBack, returnsPrefetch } from "./returns.ts";
import { named, type Session } from "./session.ts";
import { settle } from "./settle.ts";
import type { TlsFiles } from "./tls.ts";
import { declareQueue, type Names, namesWith, type QueueType, type Topology } from "./topology.ts";
import { createAmqpTransfers } from "./transfers.ts";

export interface AmqpOptions {
  /** `amqp://user:password@host:port/vhost`; of a cluster several, with commas between. A user named as the party is held to be its own: docs/broker.md. */
  readonly url: string;
  /** For `amqps://`. */
  readonly tls?: TlsFiles;
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
  private readonly consumers: Consumers;
  private returning: Promise<void> | undefined;

  constructor({ url, party, log, prefix = "", clock = systemClock, ...options }: AmqpOptions) {
    this.log = log.with({ party });
    this.clock = clock;
    this.consumers = new Consumers(this.log);
    this.prefix = prefix;
    this.names = namesWith(prefix, party, partyUserOf(url, party));
    this.topology = {
      names: this.names,
      queueType: options.queueType ?? "classic",
      queueLimits: { messagesMax: limits.queueMessagesMax, bytesMax: limits.queueBytesMax, ...options.queueLimits },
    };
    this.connection = new Connection({
      url,
      ...(options.tls === undefined ? {} : { tls: options.tls }),
      party,
      topology: this.topology,
      log: this.log,
      waitMsMax: options.publishWaitMs ?? limits.brokerWaitMsMax,
      confirmMsMax: options.publishConfirmMs ?? limits.brokerConfirmMsMax,
      restore: (session) => this.restore(session),
      leave: (channel) => this.leave(channel),
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
    const oversize = tooLarge(message.body);
    if (oversize !== undefined) throw new DynamosError(ErrorCode.BODY_TOO_LARGE, oversize);
    await this.connection.send((session) =>
      session.publish(this.names.outlet, message.routingKey, message.body, propertiesOf(message, this.clock.now())),
    );
  }

  async consume(
    queue: string,
    { prefetch }: ConsumeOptions,
    handler: (delivery: Delivery) => Promise<Disposition>,
  ): Promise<Consumer> {
    const { names, clock, topology } = this;
    const countsRedeliveries = topology.queueType === "classic";
    // Whoever takes messages may ask for another try; who only sends needs nothing of this.
    this.returning ??= this.startReturns();
    await this.returning;
    const spec: ConsumerSpec = {
      name: queue,
      prepare: async (session) => {
        const declared = this.queues.get(queue);
        if (declared !== undefined) await this.declareOn(session, [declared]);
      },
      run: (session, onStopped) =>
        runConsumer({
          session,
          queue: names.queue(queue),
          prefetch,
          settle: (raw) => settle({ session, names, clock, queue, handler, countsRedeliveries }, raw),
          onStopped,
        }),
    };
    await this.connection.use((session) => this.consumers.start(spec, session));
    return { cancel: () => this.consumers.cancel(spec) };
  }

  visitDeadLetters(max: number, visit: (letter: HeldDeadLetter) => Promise<void>): Promise<number> {
    const { names, prefix } = this;
    return this.connection.use((session) => visitDeadLetters({ session, names, prefix, max, visit }));
  }

  get vouchesForSenders(): boolean {
    return this.names.user !== undefined;
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

  private async leave(channel: Channel): Promise<void> {
    for (const { name, kind } of this.queues.values()) {
      if (kind === "private") await channel.deleteQueue(this.names.queue(name));
    }
  }

  /** What the broker refuses by now is left out: everything else goes on. */
  private async restore(session: Session): Promise<void> {
    for (const queue of this.queues.values()) {
      try {
        await this.declareOn(session, [queue]);
      } catch (error) {
        if (!(error instanceof DynamosError)) throw error;
        this.log.log("error", "a queue can't be declared again", { queue: queue.name, reason: error.message });
      }
    }
    await this.consumers.resumeAll(session);
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

  private async startReturns(): Promise<void> {
    const { names, clock } = this;
    const spec: ConsumerSpec = {
      name: names.returns,
      prepare: async () => {},
      run: (session, onStopped) =>
        runConsumer({
          session,
          queue: names.returns,
          prefetch: returnsPrefetch,
          settle: (raw) => giveBack({ session, names, clock }, raw),
          onStopped,
        }),
    };
    try {
      await this.connection.use((session) => this.consumers.start(spec, session));
    } catch (error) {
      this.returning = undefined;
      throw error;
    }
  }
}
