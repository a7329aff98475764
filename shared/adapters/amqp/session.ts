/** One connection with its publishing channel, from connect to loss. A new session replaces a lost one. */
import { type Channel, type ChannelModel, type ConfirmChannel, connect, type Options } from "amqplib";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { declareBase, type Names } from "./topology.ts";

export interface Session {
  /**
   * Resolves when the broker has confirmed.
   * @throws DynamosError UNROUTABLE; SessionLost when nothing is known of it
   */
  publish(exchange: string, routingKey: string, body: Uint8Array, properties: Options.Publish): Promise<void>;
  openChannel(): Promise<Channel>;
  close(): Promise<void>;
}

/** The connection went while something was under way: what it was may or may not have happened. */
export class SessionLost extends Error {
  override readonly name = "SessionLost";
}

const connectMsMax = 5_000;
const heartbeatSeconds = 10;

/** @param onLost called once when the connection goes without `close`. @throws what connecting or declaring fails with */
export async function openSession(url: string, names: Names, onLost: (reason: string) => void): Promise<Session> {
  const socketOptions = { noDelay: true, timeout: connectMsMax };
  const connection: ChannelModel = await connect(withHeartbeat(url), socketOptions);
  let closing = false;
  let reason = "closed by the broker";
  const lose = (why: string) => {
    if (closing) return;
    closing = true;
    onLost(why);
  };
  // Without a listener an error event would end the process; the close event follows it.
  connection.on("error", (error: Error) => {
    reason = error.message;
  });
  connection.on("close", () => lose(reason));
  try {
    const setup = await quietChannel(connection);
    await declareBase(setup, names);
    await setup.close();
    const channel = await connection.createConfirmChannel();
    // The broker closes it for a message that it won't have; without it this session is of no use.
    channel.on("close", () => {
      lose("the broker closed the publishing channel");
      connection.close().catch(() => {});
    });
    const publisher = createPublisher(channel);
    return {
      publish: publisher.publish,
      openChannel: () => quietChannel(connection),
      close: async () => {
        const wasLost = closing;
        closing = true;
        if (wasLost) return;
        await publisher.settled();
        await connection.close();
      },
    };
  } catch (error) {
    closing = true;
    await connection.close().catch(() => {});
    throw named(error);
  }
}

async function quietChannel(connection: ChannelModel): Promise<Channel> {
  const channel = await connection.createChannel();
  channel.on("error", () => {});
  return channel;
}

function createPublisher(channel: ConfirmChannel) {
  channel.on("error", () => {});
  let counter = 0;
  /** Returned as unroutable; the confirm comes after the return. */
  const returned = new Set<number>();
  channel.on("return", (message) => {
    returned.add(Number(message.properties.headers?.["x-publish"]));
  });

  function publish(exchange: string, routingKey: string, body: Uint8Array, properties: Options.Publish): Promise<void> {
    counter += 1;
    const tag = counter;
    const options = { ...properties, mandatory: true, headers: { ...properties.headers, "x-publish": tag } };
    return new Promise((resolve, reject) => {
      try {
        channel.publish(
          exchange,
          routingKey,
          Buffer.from(body.buffer, body.byteOffset, body.byteLength),
          options,
          (error: unknown) => {
            if (returned.delete(tag)) reject(new DynamosError(ErrorCode.UNROUTABLE, `no queue takes ${routingKey}`));
            else if (error) reject(new SessionLost("not confirmed", { cause: error }));
            else resolve();
          },
        );
      } catch (error) {
        reject(new SessionLost("the channel is closed", { cause: error }));
      }
    });
  }

  return { publish, settled: () => channel.waitForConfirms().catch(() => {}) };
}

/** An exchange or queue that is there with other arguments can't be mended by trying again. */
export function named(error: unknown): unknown {
  const text = error instanceof Error ? error.message : "";
  const what = /(exchange|queue) '([^']+)' in vhost/.exec(text);
  return /PRECONDITION.FAILED/.test(text) && what !== null
    ? new DynamosError(
        ErrorCode.BROKER_UNAVAILABLE,
        `the ${what[1]} ${what[2]} exists with other arguments: delete it on the broker, or use another prefix or vhost`,
        { cause: error },
      )
    : error;
}

function withHeartbeat(url: string): string {
  const parsed = new URL(url);
  if (!parsed.searchParams.has("heartbeat")) parsed.searchParams.set("heartbeat", String(heartbeatSeconds));
  return parsed.toString();
}
