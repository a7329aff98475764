/** Our messages as AMQP ones: what the broker needs to know is in properties, the rest is the body. */
import type { ConsumeMessage, GetMessage, Options } from "amqplib";
import type { DeadLetter, Delivery, Message, MessageType } from "#ports/broker";

const types: ReadonlySet<string> = new Set<MessageType>(["envelope", "reply", "control"]);

/** @param more headers beside our own */
export function propertiesOf(message: Message, more: Readonly<Record<string, string | number>> = {}): Options.Publish {
  return {
    messageId: message.id,
    correlationId: message.queryId,
    type: message.type,
    contentType: "application/x-protobuf",
    persistent: true,
    headers: { traceparent: message.traceparent, "x-routing-key": message.routingKey, ...more },
    ...(message.expiresInMs === undefined ? {} : { expiration: String(Math.max(0, Math.round(message.expiresInMs))) }),
  };
}

/** @returns undefined when it is not one of ours */
export function deliveryOf(raw: ConsumeMessage | GetMessage, queue: string): Delivery | undefined {
  const { messageId, correlationId, type, headers, expiration } = raw.properties;
  if (typeof messageId !== "string" || typeof correlationId !== "string" || !types.has(type)) {
    return undefined;
  }
  return {
    id: messageId,
    routingKey: textOf(headers?.["x-routing-key"]) ?? raw.fields.routingKey,
    type: type as MessageType,
    queryId: correlationId,
    body: raw.content,
    traceparent: textOf(headers?.traceparent) ?? "",
    ...(expiration === undefined ? {} : { expiresInMs: Number(expiration) }),
    queue,
    tries: numberOf(headers?.["x-tries"]),
    redelivered: raw.fields.redelivered,
  };
}

/** Ours say why; those that the broker moved by itself say so in `x-death`. */
export function deadLetterOf(raw: GetMessage, prefix: string): DeadLetter {
  const headers = raw.properties.headers ?? {};
  const death = (headers["x-death"] as { reason?: string; queue?: string }[] | undefined)?.[0];
  const queue = textOf(headers["x-queue"]) ?? (death?.queue ?? "").slice(prefix.length);
  const { redelivered: _, ...known } = deliveryOf(raw, queue) ?? {
    id: String(raw.properties.messageId ?? ""),
    routingKey: raw.fields.routingKey,
    type: "envelope" as const,
    queryId: String(raw.properties.correlationId ?? ""),
    body: raw.content,
    traceparent: "",
    queue,
    tries: 0,
    redelivered: false,
  };
  const byBroker =
    death?.reason === "expired"
      ? "DEADLINE_EXCEEDED: expired in the queue"
      : `${death?.reason ?? "unknown"} by the broker`;
  return { ...known, reason: textOf(headers["x-reason"]) ?? byBroker };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : 0;
}
