/** RabbitMQ behind the broker port: one connection per party that comes back by itself, with its queues and consumers. */
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError, toDynamosError } from "#errors";
import type { Broker, BrokerStatus, Message, Queue } from "#ports/broker";
import type { Log } from "#ports/log";
import { type ConsumerSpec, type RunningConsumer, runConsumer } from "./consumer.ts";
import { deadLetterOf, propertiesOf } from "./message.ts";
import { named, openSession, type Session, SessionLost } from "./session.ts";
import { declareQueue, namesWith } from "./topology.ts";

export interface AmqpOptions {
  /** `amqp://user:password@host:port/vhost`. */
  readonly url: string;
  readonly party: string;
  readonly log: Log;
  /** Before every name, so that several systems can share a broker. */
  readonly prefix?: string;
  /** How long a publish waits for a lost connection to come back. */
  readonly publishWaitMs?: number;
}

const reconnectFirstMs = 50;
const reconnectLongestMs = 2_000;

/** @throws DynamosError BROKER_UNAVAILABLE when the first connection can't be made */
export async function connectAmqp(options: AmqpOptions): Promise<Broker> {
  const broker = new AmqpBroker(options);
  await broker.start();
  return broker;
}

class AmqpBroker implements Broker {
  private readonly options: AmqpOptions;
  private readonly log: Log;
  private readonly names: ReturnType<typeof namesWith>;
  private readonly queues = new Map<string, Queue>();
  private readonly consumers = new Map<ConsumerSpec, RunningConsumer | undefined>();
  private readonly listeners = new Set<(status: BrokerStatus) => void>();
  private session: Session | undefined;
  private current: BrokerStatus = { kind: "reconnecting", reason: "not connected yet" };
  private waiting: (() => void)[] = [];

  constructor(options: AmqpOptions) {
    this.options = options;
    this.log = options.log.with({ party: options.party });
    this.names = namesWith(options.prefix ?? "");
  }

  async start(): Promise<void> {
    try {
      await this.connect();
    } catch (error) {
      throw toDynamosError(error, ErrorCode.BROKER_UNAVAILABLE, "the broker can't be reached or refuses the login");
    }
  }

  async declare(queues: readonly Queue[]): Promise<void> {
    for (const queue of queues) this.queues.set(queue.name, queue);
    await this.withSession((session) => this.declareAll(session, queues));
  }

  async publish(message: Message): Promise<void> {
    if (message.body.length > limits.messageBytesMax) {
      throw new DynamosError(
        ErrorCode.BODY_TOO_LARGE,
        `a message of ${message.body.length} bytes, at most ${limits.messageBytesMax}`,
      );
    }
    await this.withSession((session) =>
      session.publish(this.names.exchange, message.routingKey, message.body, propertiesOf(message)),
    );
  }

  async consume(queue: string, { prefetch }: { prefetch: number }, handler: ConsumerSpec["handler"]) {
    const spec: ConsumerSpec = { queue, prefetch, handler };
    await this.withSession(async (session) => {
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

  async takeDeadLetters(max: number) {
    return this.withSession(async (session) => {
      const channel = await session.openChannel();
      const taken = [];
      while (taken.length < max) {
        const raw = await channel.get(this.names.deadLetterQueue);
        if (raw === false) break;
        taken.push(deadLetterOf(raw, this.options.prefix ?? ""));
        channel.ack(raw);
      }
      await channel.close();
      return taken;
    });
  }

  status(): BrokerStatus {
    return this.current;
  }

  onStatus(listener: (status: BrokerStatus) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  async close(): Promise<void> {
    if (this.current.kind === "closed") return;
    const session = this.session;
    this.session = undefined;
    this.become({ kind: "closed" });
    await session?.close().catch(() => {});
  }

  private async connect(): Promise<void> {
    let lost = false;
    const session = await openSession(this.options.url, this.names, (reason) => {
      lost = true;
      this.lose(reason);
    });
    try {
      await this.declareAll(session, [...this.queues.values()]);
      for (const spec of this.consumers.keys()) this.consumers.set(spec, await this.run(spec, session));
      if (lost) throw new SessionLost("lost while it was set up");
    } catch (error) {
      await session.close().catch(() => {});
      throw error;
    }
    if (this.current.kind === "closed") {
      await session.close();
      return;
    }
    this.session = session;
    this.become({ kind: "connected" });
  }

  private lose(reason: string): void {
    if (this.session === undefined || this.current.kind === "closed") return;
    this.session = undefined;
    this.log.log("warn", "the broker's connection is lost", { reason });
    this.become({ kind: "reconnecting", reason });
    void this.reconnect();
  }

  private async reconnect(): Promise<void> {
    for (
      let delayMs = reconnectFirstMs;
      this.current.kind === "reconnecting";
      delayMs = Math.min(delayMs * 2, reconnectLongestMs)
    ) {
      await new Promise((resume) => setTimeout(resume, delayMs * (0.75 + Math.random() / 2)));
      if (this.current.kind !== "reconnecting") return;
      try {
        await this.connect();
        this.log.log("info", "the broker's connection is back");
      } catch (error) {
        this.log.log("warn", "the broker can't be reached", { reason: error instanceof Error ? error.message : "" });
      }
    }
  }

  private become(status: BrokerStatus): void {
    this.current = status;
    for (const wake of this.waiting.splice(0)) wake();
    for (const listener of this.listeners) listener(status);
  }

  private async declareAll(session: Session, queues: readonly Queue[]): Promise<void> {
    const channel = await session.openChannel();
    try {
      for (const queue of queues) await declareQueue(channel, this.names, queue);
      await channel.close();
    } catch (error) {
      throw named(error);
    }
  }

  private run(spec: ConsumerSpec, session: Session): Promise<RunningConsumer> {
    return runConsumer(spec, session, this.names, () => {
      this.log.log("error", "the broker took a queue away: connecting anew to declare it", { queue: spec.queue });
      void session.close().catch(() => {});
      if (this.session === session) this.lose("a queue was deleted");
    });
  }

  /** Runs on the present session, again on the next one when it is lost under way, until the wait is over. */
  private async withSession<T>(run: (session: Session) => Promise<T>): Promise<T> {
    const giveUpAtMs = Date.now() + (this.options.publishWaitMs ?? 5_000);
    for (;;) {
      const session = this.session;
      if (session === undefined) {
        await this.sessionOrTimeout(giveUpAtMs);
        continue;
      }
      try {
        return await run(session);
      } catch (error) {
        if (error instanceof DynamosError) throw error;
        if (this.session === session && !(error instanceof SessionLost)) {
          throw toDynamosError(error, ErrorCode.BROKER_UNAVAILABLE, "the broker refused");
        }
        // The close event of a lost connection may come a moment after the error.
        await new Promise((resume) => setTimeout(resume, 5));
      }
      if (Date.now() > giveUpAtMs) throw unavailable("the broker did not confirm in time");
    }
  }

  private async sessionOrTimeout(giveUpAtMs: number): Promise<void> {
    const leftMs = giveUpAtMs - Date.now();
    if (this.current.kind === "closed") throw unavailable("the connection is closed");
    if (leftMs <= 0) throw unavailable("the broker can't be reached");
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, leftMs);
      this.waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

function unavailable(message: string): DynamosError {
  return new DynamosError(ErrorCode.BROKER_UNAVAILABLE, message);
}
