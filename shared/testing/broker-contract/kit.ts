/** What the parts of the broker contract share: a world, messages, and a handler that keeps what it got. */
import type { Broker, Delivery, Disposition, Message, Queue } from "#ports/broker";

export interface BrokerWorld {
  connect(party: string): Promise<Broker>;
  close(): Promise<void>;
}

/** Opened before each test. */
export interface Opened {
  readonly world: BrokerWorld;
  readonly broker: Broker;
}

export const work = (name: string, ...bindings: string[]): Queue => ({
  name,
  bindings: bindings.length > 0 ? bindings : [name],
  kind: "work",
});

export const message = (routingKey: string, id = "m1", more: Partial<Message> = {}): Message => ({
  id,
  routingKey,
  type: "envelope",
  queryId: "q1",
  body: new TextEncoder().encode(id),
  traceparent: "",
  ...more,
});

/** A handler that keeps what it got. */
export function collector(
  answer: (delivery: Delivery) => Disposition | Promise<Disposition> = () => ({ kind: "done" }),
) {
  const seen: Delivery[] = [];
  const handler = async (delivery: Delivery) => {
    seen.push(delivery);
    return answer(delivery);
  };
  return { seen, handler, ids: () => seen.map(({ id }) => id) };
}
