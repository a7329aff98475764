/** One connection with its publishing channel, from connect to loss. A new session replaces a lost one. */
import { type Channel, type ChannelModel, connect, type Options } from "amqplib";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { createPublisher, isRefused, type Publisher } from "./publisher.ts";
import { namedTls, type TlsFiles, tlsOptionsOf } from "./tls.ts";
import { declareBase, type Topology } from "./topology.ts";

export interface Session {
  /** Aborted once it is lost or closing: nothing may be sent on it any more. */
  readonly over: AbortSignal;
  /**
   * Resolves when the broker has confirmed.
   * @throws DynamosError UNROUTABLE, BROKER_UNAVAILABLE (not confirmed in time); SessionLost when nothing is known of it
   */
  publish(exchange: string, routingKey: string, body: Uint8Array, properties: Options.Publish): Promise<void>;
  openChannel(): Promise<Channel>;
  /** Why the broker takes no messages now; undefined: it does. */
  blocked(): string | undefined;
  /** It is of no use any more: reported as lost, and its connection ended. */
  abandon(reason: string): void;
  /** Waits for the confirms of what was published, for a while. @param leave what is taken off the broker before */
  close(leave: (channel: Channel) => Promise<void>): Promise<void>;
}

const connectMsMax = 5_000;
const closeMsMax = 2_000;
const heartbeatSeconds = 10;

export interface SessionOptions {
  readonly url: string;
  readonly tls?: TlsFiles;
  readonly topology: Topology;
  /** How long a publish waits for its confirm. */
  readonly confirmMsMax: number;
}

/**
 * @param onLost called once when the connection goes without `close`
 * @param onBlocked called when the broker stops taking messages, with its reason, and when it takes them again
 * @throws what connecting or declaring fails with
 */
export async function openSession(
  { url, tls, topology, confirmMsMax }: SessionOptions,
  onLost: (reason: string) => void,
  onBlocked: (reason: string | undefined) => void,
): Promise<Session> {
  const socket = new AbortController();
  // The signal goes to the socket as it is: the only way to end a connection whose other side does not answer.
  const options = { noDelay: true, timeout: connectMsMax, signal: socket.signal, ...(await tlsOptionsOf(url, tls)) };
  const connection: ChannelModel = await connect(withHeartbeat(url), options).catch((error: unknown) => {
    throw namedTls(error, url);
  });
  const over = new AbortController();
  // The broker refuses a message that names another user than the connection's.
  const { user } = topology.names;
  let because: string | undefined;
  let blocked: string | undefined;
  connection.on("blocked", (reason: string) => {
    blocked = reason;
    onBlocked(reason);
  });
  connection.on("unblocked", () => {
    blocked = undefined;
    onBlocked(undefined);
  });

  function lose(reason: string): void {
    if (over.signal.aborted) return;
    over.abort();
    onLost(because ?? reason);
  }

  async function end(): Promise<void> {
    // Rejects when the connection is closed already; does not settle when nobody answers.
    await inTime(
      connection.close().catch(() => {}),
      closeMsMax,
    );
    socket.abort();
  }

  // Without a listener an error event would end the process; the close event follows it.
  connection.on("error", (error: Error) => {
    because = error.message;
  });
  connection.on("close", () => lose("closed by the broker"));
  const abandon = (reason: string) => {
    lose(reason);
    void end();
  };
  try {
    const setup = await quietChannel(connection);
    await declareBase(setup, topology);
    await setup.close();
    let publisher = await openPublisher();
    async function openPublisher(): Promise<Publisher> {
      return createPublisher({
        channel: await connection.createConfirmChannel(),
        confirmMsMax,
        onClosed: (reason) => void replacePublisher(reason),
        blocked: () => blocked,
      });
    }
    /** The broker closes the channel for what this user may not do; everything else goes on. */
    async function replacePublisher(reason: string): Promise<void> {
      if (!isRefused(reason)) return abandon(reason);
      try {
        publisher = await openPublisher();
      } catch {
        abandon(reason);
      }
    }
    return {
      over: over.signal,
      publish: (exchange, routingKey, body, properties) =>
        publisher.publish(
          exchange,
          routingKey,
          body,
          user === undefined ? properties : { ...properties, userId: user },
        ),
      blocked: () => blocked,
      openChannel: () => quietChannel(connection),
      abandon,
      close: async (leave) => {
        if (over.signal.aborted) return;
        over.abort();
        await inTime(publisher.settled(), closeMsMax);
        await inTime(
          quietChannel(connection)
            .then(leave)
            .catch(() => {}),
          closeMsMax,
        );
        await end();
      },
    };
  } catch (error) {
    over.abort();
    await end();
    throw named(error);
  }
}

async function quietChannel(connection: ChannelModel): Promise<Channel> {
  const channel = await connection.createChannel();
  // Without a listener an error event would end the process.
  channel.on("error", () => {});
  const close = channel.close.bind(channel);
  // An answer that is lost with the connection never comes, the event does.
  channel.close = () =>
    new Promise((resolve, reject) => {
      channel.once("close", () => resolve());
      close().then(resolve, reject);
    });
  return channel;
}

async function inTime(work: Promise<void>, waitMsMax: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, waitMsMax);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

/** What can't be mended by connecting again: an exchange or queue with other arguments, without rights, or not there. */
export function named(error: unknown): unknown {
  const text = error instanceof Error ? error.message : "";
  const [, kind, name] = /(exchange|queue|topic) '([^']*)'/.exec(text) ?? [];
  if (kind === undefined) return error;
  if (isRefused(text)) {
    return new DynamosError(ErrorCode.DENIED, `this broker user may not use the ${kind} ${name}`, { cause: error });
  }
  if (/NOT.FOUND/.test(text)) {
    return new DynamosError(ErrorCode.UNROUTABLE, `there is no ${kind} ${name}`, { cause: error });
  }
  if (!/PRECONDITION.FAILED/.test(text)) return error;
  return new DynamosError(
    ErrorCode.BROKER_UNAVAILABLE,
    `the ${kind} ${name} exists with other arguments${differenceIn(text)}: delete it on the broker, or use another prefix or vhost`,
    { cause: error },
  );
}

/** In the broker's words: `x-max-length is 5000 there and 10000 here`. */
function differenceIn(text: string): string {
  const found = /inequivalent arg '([^']+)'.*: received (.+?) but current is (.+?)"?$/.exec(text);
  if (found === null) return "";
  const [, argument, here, there] = found;
  const value = (words = "") => (/^none\b|the value '([^']*)'/.exec(words)?.[1] ?? words).trim();
  return ` (${argument} is ${value(there)} there and ${value(here)} here)`;
}

function withHeartbeat(url: string): string {
  const parsed = new URL(url);
  if (!parsed.searchParams.has("heartbeat")) parsed.searchParams.set("heartbeat", String(heartbeatSeconds));
  return parsed.toString();
}
