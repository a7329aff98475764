/** How full a party's queues are, read from the broker when asked. */
import { readQueues } from "#adapters/amqp/queue-figures";
import type { TlsFiles } from "#adapters/amqp/tls";
import { partyQueues } from "#adapters/amqp/topology";
import type { Invoker } from "#ports/invoker";
import type { Readings } from "#ports/metrics";

export type QueueDepths = (invoker: Invoker) => Promise<Readings["queues"]>;

/** @param url `amqp://…`. Each reading makes a connection of its own: scrapes are rare, and it disturbs nobody. */
export function queueDepths(url: string, party: string, tls: TlsFiles | undefined): QueueDepths {
  return async (invoker) => {
    const topics = (await invoker.steps()).map(({ topic }) => topic);
    return readQueues({ url, tls, names: [...topics, ...partyQueues(party)], peek: false });
  };
}
