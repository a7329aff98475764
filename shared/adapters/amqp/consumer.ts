/** One consumer on its own channel: each delivery ends with what its handler returned. */
import type { Channel, ConsumeMessage } from "amqplib";
import type { Delivery, Disposition } from "#ports/broker";
import { deliveryOf, propertiesOf } from "./message.ts";
import type { Session } from "./session.ts";
import { type Names, retryDelayFor } from "./topology.ts";

export interface ConsumerSpec {
  readonly queue: string;
  readonly prefetch: number;
  readonly handler: (delivery: Delivery) => Promise<Disposition>;
}

export interface RunningConsumer {
  /** Takes no more and resolves when what is in hand is settled. */
  cancel(): Promise<void>;
}

/** @param onCancelled the broker took the queue away */
export async function runConsumer(
  spec: ConsumerSpec,
  session: Session,
  names: Names,
  onCancelled: () => void,
): Promise<RunningConsumer> {
  const channel = await session.openChannel();
  const inHand = new Set<Promise<void>>();
  let open = true;
  channel.on("close", () => {
    open = false;
  });
  await channel.prefetch(spec.prefetch);

  function take(raw: ConsumeMessage | null): void {
    if (raw === null) {
      onCancelled();
      return;
    }
    const work = handle(raw).finally(() => inHand.delete(work));
    inHand.add(work);
  }

  async function handle(raw: ConsumeMessage): Promise<void> {
    const delivery = deliveryOf(raw, spec.queue);
    const disposition: Disposition =
      delivery === undefined
        ? { kind: "dead-letter", reason: "ENVELOPE_INVALID: not a message of this system" }
        : await spec
            .handler(delivery)
            .catch(() => ({ kind: "dead-letter", reason: "INTERNAL: the handler threw" }) as const);
    try {
      await settle(channel, raw, delivery, disposition);
    } catch {
      // Neither moved nor acknowledged: the broker delivers it again once this channel is gone.
      if (open) channel.nack(raw, false, true);
    }
  }

  async function settle(
    on: Channel,
    raw: ConsumeMessage,
    delivery: Delivery | undefined,
    disposition: Disposition,
  ): Promise<void> {
    if (disposition.kind === "return") {
      if (open) on.nack(raw, false, true);
      return;
    }
    if (disposition.kind === "retry" && delivery !== undefined) {
      const headers = { "x-tries": delivery.tries + 1 };
      const { expiresInMs: _, ...unexpiring } = delivery;
      const target = names.retryExchange(retryDelayFor(disposition.afterMs));
      await session.publish(target, names.queue(spec.queue), raw.content, propertiesOf(unexpiring, headers));
    } else if (disposition.kind === "dead-letter") {
      const headers = { ...raw.properties.headers, "x-reason": disposition.reason, "x-queue": spec.queue };
      const { expiration: _, ...properties } = raw.properties;
      await session.publish(names.deadLetterExchange, raw.fields.routingKey, raw.content, {
        ...properties,
        headers,
        persistent: true,
      });
    }
    if (open) on.ack(raw);
  }

  const { consumerTag } = await channel.consume(names.queue(spec.queue), take);
  return {
    cancel: async () => {
      if (open) await channel.cancel(consumerTag).catch(() => {});
      while (inHand.size > 0) await Promise.all(inHand);
      if (open) await channel.close().catch(() => {});
    },
  };
}
