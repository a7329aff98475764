/** What a RabbitMQ says of its queues over AMQP alone: no management API, and no right to anything but to see them. */
import { setTimeout as wait } from "node:timers/promises";
import { type ChannelModel, connect, type GetMessage } from "amqplib";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { namedTls, type TlsFiles, tlsOptionsOf } from "./tls.ts";

export interface QueueFigures {
  readonly name: string;
  /** Waiting for a consumer. */
  readonly ready: number;
  readonly consumers: number;
  /** When the message at its head was published, milliseconds since the epoch; absent: nobody can tell. */
  readonly oldestAtMs?: number;
  /** With a consumer, not settled yet. AMQP does not tell. */
  readonly unacknowledged?: number;
  /** Deliveries of what was delivered before, since the queue is there. AMQP does not tell. */
  readonly redeliveries?: number;
}

export interface ReadQueuesOptions {
  readonly url: string;
  /** For `amqps://`. */
  readonly tls?: TlsFiles | undefined;
  readonly names: readonly string[];
  /** Takes the message at the head for a moment and gives it back, which marks it as redelivered. */
  readonly peek: boolean;
}

const connectMsMax = 5_000;

/** Without those that are not there, and those of one connection alone. @throws DynamosError BROKER_UNAVAILABLE */
export async function readQueues({ url, tls, names, peek }: ReadQueuesOptions): Promise<QueueFigures[]> {
  const connection = await open(url, tls);
  try {
    const found: QueueFigures[] = [];
    for (const name of names) found.push(...(await readOne(connection, name, peek)));
    return found;
  } finally {
    await Promise.race([connection.close().catch(() => {}), wait(connectMsMax, undefined, { ref: false })]);
  }
}

async function open(url: string, tls: TlsFiles | undefined): Promise<ChannelModel> {
  try {
    const connection = await connect(url, { noDelay: true, timeout: connectMsMax, ...(await tlsOptionsOf(url, tls)) });
    // Without a listener an error event would end the process.
    connection.on("error", () => {});
    return connection;
  } catch (error) {
    const cause = namedTls(error, url);
    const why = cause instanceof Error ? cause.message : "unknown";
    throw new DynamosError(ErrorCode.BROKER_UNAVAILABLE, `the broker does not answer: ${why}`, { cause });
  }
}

/** A queue that is not there costs the channel. */
async function readOne(connection: ChannelModel, name: string, peek: boolean): Promise<QueueFigures[]> {
  const channel = await connection.createChannel();
  channel.on("error", () => {});
  try {
    const { messageCount: ready, consumerCount: consumers } = await channel.checkQueue(name);
    const head = peek && ready > 0 ? await channel.get(name).catch(() => false as const) : false;
    const oldestAtMs = head === false ? undefined : publishedAtMs(head);
    // Gives back what it holds.
    await channel.close().catch(() => {});
    return [{ name, ready, consumers, ...(oldestAtMs === undefined ? {} : { oldestAtMs }) }];
  } catch (error) {
    if (/NOT.FOUND|RESOURCE.LOCKED/.test(error instanceof Error ? error.message : "")) return [];
    throw new DynamosError(ErrorCode.BROKER_UNAVAILABLE, `the broker does not show the queue ${name}`, {
      cause: error,
    });
  }
}

function publishedAtMs({ properties }: GetMessage): number | undefined {
  const seconds: unknown = properties.timestamp;
  return typeof seconds === "number" && seconds > 0 ? seconds * 1_000 : undefined;
}
