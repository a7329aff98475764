/** Our messages as AMQP ones: what the broker needs to know is in properties, the rest is the body. */
import type { ConsumeMessage, GetMessage, Options } from "amqplib";
import type { DeadLetter, Delivery, Message, MessageType } from "#ports/broker";

const types: ReadonlySet<string> = new Set<MessageType>(["envelope", "reply", "control"]);

/** Said of a message whose time ran out before a consumer had it. */
export const expired = "DEADLINE_EXCEEDED: expired in the queue";

/** @param nowMs for the moment of expiry, which a retry does not put off */
export function propertiesOf(message: Message, nowMs: number): Options.Publish {
  const properties = propertiesWith(message, {});
  if (message.expiresInMs === undefined) return properties;
  const expiresInMs = Math.max(0, Math.round(message.expiresInMs));
  return {
    ...properties,
    expiration: String(expiresInMs),
    headers: { ...properties.headers, "x-expires-at": Math.round(nowMs) + expiresInMs },
  };
}

/**
 * For the queue where it waits for its next try. The broker's own expiry ends here (it would
 * cut the wait short and is dropped on the way back); the header says when it was.
 */
export function retryProperties(raw: ConsumeMessage, delivery: Delivery): Options.Publish {
  const expiresAtMs = raw.properties.headers?.["x-expires-at"];
  return propertiesWith(delivery, {
    "x-tries": delivery.tries + 1,
    ...(typeof expiresAtMs === "number" ? { "x-expires-at": expiresAtMs } : {}),
  });
}

/**
 * Of anything, also of what is not ours. Only plain texts are taken over: a user-id of another
 * sender, for one, would make the broker close the channel.
 */
export function deadLetterProperties(raw: ConsumeMessage, queue: string, reason: string): Options.Publish {
  const { messageId, correlationId, type, contentType, headers } = raw.properties;
  return {
    messageId: textOf(messageId) ?? "",
    correlationId: textOf(correlationId) ?? "",
    type: textOf(type) ?? "",
    contentType: textOf(contentType) ?? "",
    persistent: true,
    headers: {
      traceparent: textOf(headers?.traceparent) ?? "",
      "x-routing-key": textOf(headers?.["x-routing-key"]) ?? raw.fields.routingKey,
      "x-tries": numberOf(headers?.["x-tries"]),
      "x-reason": reason,
      "x-queue": queue,
    },
  };
}

/** For its way back to its queue: with no tries behind it, and no expiry. */
export function redriveProperties(letter: DeadLetter): Options.Publish {
  return propertiesWith(letter, {});
}

/** Whether its time ran out while it waited for another try, where the broker does not look. */
export function hasExpired(raw: ConsumeMessage, nowMs: number): boolean {
  const headers = raw.properties.headers;
  const expiresAtMs = headers?.["x-expires-at"];
  return numberOf(headers?.["x-tries"]) > 0 && typeof expiresAtMs === "number" && expiresAtMs <= nowMs;
}

function propertiesWith(message: Message, headers: Readonly<Record<string, string | number>>): Options.Publish {
  return {
    messageId: message.id,
    correlationId: message.queryId,
    type: message.type,
    contentType: "application/x-protobuf",
    persistent: true,
    headers: { traceparent: message.traceparent, "x-routing-key": message.routingKey, ...headers },
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
  const byBroker = death?.reason === "expired" ? expired : `${death?.reason ?? "unknown"} by the broker`;
  return { ...known, reason: textOf(headers["x-reason"]) ?? byBroker };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : 0;
}
