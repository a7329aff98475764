/** Ways to a broker for sidecars that die: each has a connection of its own that can be torn down under it. */
import { connectAmqp } from "#adapters/amqp/broker";
import { removeAll } from "#adapters/amqp/remove-all";
import { createMemoryExchange } from "#adapters/memory/broker";
import type { Broker } from "#ports/broker";
import type { Log } from "#ports/log";
import { openTcpProxy, type TcpProxy } from "../tcp-proxy.ts";

export interface Link {
  readonly broker: Broker;
  /** Where the connection goes through one. */
  readonly proxy: TcpProxy | undefined;
  /** As the end of its process would: no acknowledgement, no farewell. */
  destroy(): Promise<void>;
  close(): Promise<void>;
}

export interface Links {
  open(party: string): Promise<Link>;
  /** When no link is open any more. */
  removeAll(): Promise<void>;
}

export function memoryLinks(): Links {
  const exchange = createMemoryExchange();
  return {
    open: async (party) => {
      const broker = exchange.connect({ party });
      const close = () => broker.close();
      return { broker, proxy: undefined, destroy: close, close };
    },
    removeAll: async () => {},
  };
}

/** Seconds; a half-open connection is noticed after two of them. */
const heartbeatSeconds = 1;

export interface AmqpLinksOptions {
  readonly url: string;
  readonly prefix: string;
  /** Durable ones, without the prefix: taken off the broker in the end. */
  readonly queues: readonly string[];
  readonly parties: readonly string[];
  readonly log: Log;
}

export function amqpLinks({ url, prefix, queues, parties, log }: AmqpLinksOptions): Links {
  async function open(party: string): Promise<Link> {
    const proxy = await openTcpProxy(Number(new URL(url).port));
    const proxied = new URL(url);
    proxied.port = String(proxy.port);
    proxied.searchParams.set("heartbeat", String(heartbeatSeconds));
    try {
      const broker = await connectAmqp({ url: proxied.toString(), party, log, prefix });
      return {
        broker,
        proxy,
        destroy: async () => {
          await proxy.close();
          await broker.close();
        },
        close: async () => {
          await broker.close();
          await proxy.close();
        },
      };
    } catch (error) {
      await proxy.close();
      throw error;
    }
  }
  return { open, removeAll: () => removeAll({ url, prefix, queues, parties }) };
}
