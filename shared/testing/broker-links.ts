/** The brokers that a sidecar test runs over: the in-memory one, and RabbitMQ where there is one. */
import { randomUUID } from "node:crypto";
import { connectAmqp } from "#adapters/amqp/broker";
import { removeAll } from "#adapters/amqp/remove-all";
import { createMemoryExchange } from "#adapters/memory/broker";
import { createMemoryLog } from "#adapters/memory/log";
import { systemClock } from "#adapters/system/clock";
import type { Broker, QueueLimits } from "#ports/broker";

export interface BrokerLinks {
  connect(party: string): Promise<Broker>;
  /** When all connections are closed: takes what was declared off the broker again. */
  remove(): Promise<void>;
}

export interface LinksOptions {
  readonly queueLimits?: Partial<QueueLimits>;
  /** Without a prefix; private ones go by themselves. */
  readonly queues: readonly string[];
  readonly parties: readonly string[];
}

/** @param url of a RabbitMQ, or `memory` */
export function brokerLinks(url: string, { queueLimits = {}, queues, parties }: LinksOptions): BrokerLinks {
  if (url === "memory") {
    const hub = createMemoryExchange(systemClock, queueLimits);
    return { connect: async (party) => hub.connect({ party }), remove: async () => {} };
  }
  const prefix = `t${randomUUID()}.`;
  return {
    connect: (party) => connectAmqp({ url, party, log: createMemoryLog(), prefix, queueLimits }),
    remove: () => removeAll({ url, prefix, queues, parties }),
  };
}
