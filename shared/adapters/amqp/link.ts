/** One AMQP connection, from connect to loss. */
import { type Channel, type ChannelModel, type ConfirmChannel, connect } from "amqplib";
import { brokerUrls } from "./addresses.ts";
import { namedTls, type TlsFiles, tlsOptionsOf } from "./tls.ts";

export interface Link {
  openChannel(): Promise<Channel>;
  openConfirmChannel(): Promise<ConfirmChannel>;
  /** As the broker says: `3.10.8`. */
  readonly brokerVersion: string;
  /** Resolves when it is gone, also when nobody answers. */
  end(): Promise<void>;
}

export interface LinkOptions {
  /** Or several with commas between, the nodes of a cluster: the first that takes the connection has it. */
  readonly url: string;
  readonly tls?: TlsFiles;
  /** Shown by the broker's tools beside the connection. */
  readonly name: string;
  /** Called when it goes, however. */
  readonly onLost: (reason: string) => void;
  /** Called when the broker stops taking messages on it, with its reason, and when it takes them again. */
  readonly onBlocked: (reason: string | undefined) => void;
}

const connectMsMax = 5_000;
export const closeMsMax = 2_000;
const heartbeatSeconds = 10;

/** @throws what connecting fails with; with several nodes, to the last of them */
export async function openLink(options: LinkOptions): Promise<Link> {
  const [first = "", ...others] = brokerUrls(options.url);
  let opening = openNodeLink({ ...options, url: first });
  // One after the other: who connects to all at once takes a place on each.
  for (const url of others) opening = opening.catch(() => openNodeLink({ ...options, url }));
  return opening;
}

async function openNodeLink({ url, tls, name, onLost, onBlocked }: LinkOptions): Promise<Link> {
  const socket = new AbortController();
  const options = {
    noDelay: true,
    timeout: connectMsMax,
    // Goes to the socket as it is: the only way to end a connection whose other side does not answer.
    signal: socket.signal,
    clientProperties: { connection_name: name },
    ...(await tlsOptionsOf(url, tls)),
  };
  const connection: ChannelModel = await connect(withHeartbeat(url), options).catch((error: unknown) => {
    throw namedTls(error, url);
  });
  let because: string | undefined;
  connection.on("blocked", (reason: string) => onBlocked(reason));
  connection.on("unblocked", () => onBlocked(undefined));
  // Without a listener an error event would end the process; the close event follows it.
  connection.on("error", (error: Error) => {
    because = error.message;
  });
  const closed = new Promise<void>((resolve) => {
    connection.on("close", () => {
      onLost(because ?? "closed by the broker");
      resolve();
    });
  });
  return {
    brokerVersion: connection.connection.serverProperties.version,
    openChannel: async () => quiet(await connection.createChannel()),
    openConfirmChannel: () => connection.createConfirmChannel(),
    end: async () => {
      // Rejects when the connection is closed already; does not settle when nobody answers.
      const closing = connection.close().catch(() => {});
      await inTime(Promise.race([closing, closed]), closeMsMax);
      socket.abort();
    },
  };
}

function quiet(channel: Channel): Channel {
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

/** Resolves then at the latest. */
export async function inTime(work: Promise<void>, waitMsMax: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, waitMsMax);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

function withHeartbeat(url: string): string {
  const parsed = new URL(url);
  if (!parsed.searchParams.has("heartbeat")) parsed.searchParams.set("heartbeat", String(heartbeatSeconds));
  return parsed.toString();
}
