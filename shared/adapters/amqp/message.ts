/** Our messages as AMQP ones: what the broker needs to know is in properties, the rest is the body. */
import type { ConsumeMessage, GetMessage, Options } from "amqplib";
import { limits } from "#domain/limits";
import type { Attempt, DeadLetter, Delivery, Message, MessageType } from "#ports/broker";

const types: ReadonlySet<string> = new Set<MessageType>(["envelope", "reply", "control"]);

/** Said of a message whose time ran out before a consumer had it. */
export const expired = "DEADLINE_EXCEEDED: expired in the queue";

/** Said of a message that came back too often. */
export const poison = "WORKER_CRASHED: every consumer died with it in hand";

/** In the words of `x-death`. */
const reasonsOfBroker: Readonly<Record<string, string>> = { expired, delivery_limit: poison };

/** @param nowMs for the moment of expiry, which a retry does not put off */
export function propertiesOf(message: Message, nowMs: number): Options.Publish {
  const properties = { ...propertiesWith(message, {}), timestamp: Math.floor(nowMs / 1_000) };
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
export function retryProperties(raw: ConsumeMessage, delivery: Delivery, attempt: Attempt): Options.Publish {
  const headers = {
    "x-tries": delivery.tries + 1,
    "x-queue": attempt.queue,
    "x-history": withAttempt(raw, attempt),
    ...expiryOf(raw),
    ...senderAs(delivery.sender),
  };
  return { ...propertiesWith(delivery, headers), timestamp: numberOf(raw.properties.timestamp) };
}

/** Of a message whose wait is over: as they are, without what the broker added on the way. */
export function returnedProperties(raw: ConsumeMessage): Options.Publish {
  const { messageId, correlationId, type, contentType, headers, timestamp } = raw.properties;
  const kept = Object.entries(headers ?? {}).filter(([name]) => !/^x-(first-|last-)?death/.test(name));
  return {
    messageId,
    correlationId,
    type,
    contentType,
    persistent: true,
    timestamp: numberOf(timestamp),
    headers: Object.fromEntries(kept),
  };
}

/** The queue that a message waits to go back to. */
export function queueToReturnTo(raw: ConsumeMessage): string {
  return textOf(raw.properties.headers?.["x-queue"]) ?? "";
}

/** For its own queue once more, where a consumer had died with it in hand: counted, since a classic queue does not. */
export function redeliveredProperties(raw: ConsumeMessage, delivery: Delivery, nowMs: number): Options.Publish {
  const history = textOf(raw.properties.headers?.["x-history"]) ?? "[]";
  const headers = {
    "x-tries": delivery.tries,
    "x-redeliveries": redeliveriesOf(raw) + 1,
    "x-history": history,
    ...expiryOf(raw),
    ...senderAs(delivery.sender),
  };
  const properties = { ...propertiesWith(delivery, headers), timestamp: numberOf(raw.properties.timestamp) };
  const expiresAtMs = raw.properties.headers?.["x-expires-at"];
  return typeof expiresAtMs === "number"
    ? { ...properties, expiration: String(Math.max(0, Math.round(expiresAtMs - nowMs))) }
    : properties;
}

/** How often a consumer has died with it in hand before. */
export function redeliveriesOf(raw: ConsumeMessage | GetMessage): number {
  const headers = raw.properties.headers;
  return numberOf(headers?.["x-redeliveries"]) + numberOf(headers?.["x-delivery-count"]);
}

function expiryOf(raw: ConsumeMessage): Record<string, number> {
  const expiresAtMs = raw.properties.headers?.["x-expires-at"];
  return typeof expiresAtMs === "number" ? { "x-expires-at": expiresAtMs } : {};
}

function withAttempt(raw: ConsumeMessage | GetMessage, attempt: Attempt): string {
  return JSON.stringify([...historyOf(raw), attempt].slice(-limits.historyMax));
}

/** A header that another wrote may hold anything. */
function historyOf(raw: ConsumeMessage | GetMessage): Attempt[] {
  try {
    const history: unknown = JSON.parse(textOf(raw.properties.headers?.["x-history"]) ?? "[]");
    return Array.isArray(history) ? history.filter(isAttempt) : [];
  } catch {
    return [];
  }
}

function isAttempt(value: unknown): value is Attempt {
  const { queue, reason, atMs } = (value ?? {}) as Partial<Record<keyof Attempt, unknown>>;
  return typeof queue === "string" && typeof reason === "string" && typeof atMs === "number";
}

/**
 * Of anything, also of what is not ours. Only plain texts are taken over: a user-id of another
 * sender, for one, would make the broker close the channel.
 */
export function deadLetterProperties(raw: ConsumeMessage, attempt: Attempt, sender?: string): Options.Publish {
  const { queue, reason } = attempt;
  const { messageId, correlationId, type, contentType, headers } = raw.properties;
  return {
    messageId: textOf(messageId) ?? "",
    correlationId: textOf(correlationId) ?? "",
    type: textOf(type) ?? "",
    contentType: textOf(contentType) ?? "",
    persistent: true,
    // Of the first publish: tools show how old a message is.
    timestamp: numberOf(raw.properties.timestamp),
    headers: {
      traceparent: textOf(headers?.traceparent) ?? "",
      "x-routing-key": textOf(headers?.["x-routing-key"]) ?? raw.fields.routingKey,
      "x-tries": numberOf(headers?.["x-tries"]),
      "x-reason": reason,
      "x-queue": queue,
      "x-history": withAttempt(raw, attempt),
      ...senderAs(sender),
    },
  };
}

/** For its way back to its queue: with no tries behind it, and no expiry. */
export function redriveProperties(letter: DeadLetter): Options.Publish {
  return propertiesWith(letter, senderAs(letter.sender));
}

/** Whether its time ran out while it waited for another try, where the broker does not look. */
export function hasExpired(raw: ConsumeMessage, nowMs: number): boolean {
  const headers = raw.properties.headers;
  const expiresAtMs = headers?.["x-expires-at"];
  const isOnItsWayBack = numberOf(headers?.["x-tries"]) > 0 || redeliveriesOf(raw) > 0;
  return isOnItsWayBack && typeof expiresAtMs === "number" && expiresAtMs <= nowMs;
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

/**
 * @param user the party's own broker user; absent: nobody vouches for senders
 * @returns undefined when it is not one of ours
 */
export function deliveryOf(raw: ConsumeMessage | GetMessage, queue: string, user?: string): Delivery | undefined {
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
    ...senderOf(raw, user),
    tries: numberOf(headers?.["x-tries"]),
    redelivered: raw.fields.redelivered || redeliveriesOf(raw) > 0,
  };
}

/**
 * Who published it, by the user-id that the broker has checked. A party that puts a message into its own
 * queue once more (a retry, a redrive) is its publisher then, so it notes the first one: believed of itself alone.
 */
function senderOf(raw: ConsumeMessage | GetMessage, user: string | undefined): { readonly sender?: string } {
  const publisher = textOf(raw.properties.userId);
  if (user === undefined || publisher === undefined) return {};
  return { sender: publisher === user ? (textOf(raw.properties.headers?.["x-sender"]) ?? publisher) : publisher };
}

function senderAs(sender: string | undefined): Record<string, string> {
  return sender === undefined ? {} : { "x-sender": sender };
}

/** Ours say why; those that the broker moved by itself say so in `x-death`. */
export function deadLetterOf(raw: GetMessage, prefix: string, user?: string): DeadLetter {
  const headers = raw.properties.headers ?? {};
  const death = (headers["x-death"] as Death[] | undefined)?.[0];
  const queue = textOf(headers["x-queue"]) ?? (death?.queue ?? "").slice(prefix.length);
  const { redelivered: _, ...known } = deliveryOf(raw, queue, user) ?? {
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
  const byBroker = reasonsOfBroker[death?.reason ?? ""] ?? `${death?.reason ?? "unknown"} by the broker`;
  const reason = textOf(headers["x-reason"]) ?? byBroker;
  const history = historyOf(raw);
  const diedAtMs = Number(death?.time?.value ?? 0) * 1_000;
  // The broker writes no history; what it did is the last of it.
  const last = headers["x-reason"] === undefined ? [{ queue, reason, atMs: diedAtMs }] : [];
  return { ...known, reason, history: [...history, ...last] };
}

/** An entry of the broker's own `x-death`; its time is in seconds. */
interface Death {
  readonly reason?: string;
  readonly queue?: string;
  readonly time?: { readonly value?: number };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : 0;
}
