/** Carries messages between parties. Twins: adapters/memory, adapters/amqp; both pass testing/broker-contract.ts. */

import type { Transfers } from "./transfers.ts";

export type MessageType = "envelope" | "reply" | "control";

export interface Message {
  /** Stable: made from the input, so a repeated publish has the same id. */
  readonly id: string;
  readonly routingKey: string;
  readonly type: MessageType;
  readonly queryId: string;
  readonly body: Uint8Array;
  /** W3C Trace Context; empty: none. */
  readonly traceparent: string;
  /** From the moment of publishing; a message not delivered by then goes to the dead letters. */
  readonly expiresInMs?: number;
}

/** A message that was published. */
export interface Sent extends Message {
  /**
   * The party's broker user that published it first, as the broker vouches; undefined: it did not say, or several
   * parties share a user.
   */
  readonly sender?: string;
}

export interface Delivery extends Sent {
  readonly queue: string;
  /** How often a handler has already answered `retry` for it. */
  readonly tries: number;
  /** Whether the broker may have delivered it before (a consumer died with it in hand). */
  readonly redelivered: boolean;
}

/** What becomes of a delivery. The handler returns it; it never acknowledges by itself. */
export type Disposition =
  | { readonly kind: "done" }
  /** Again after a while, without holding up the queue behind it. */
  | { readonly kind: "retry"; readonly afterMs: number; readonly reason: string }
  | { readonly kind: "dead-letter"; readonly reason: string }
  /** Back to the queue at once: this consumer is stopping. */
  | { readonly kind: "return" };

export interface Queue {
  readonly name: string;
  /** Topic patterns: words between dots, `*` is one word, `#` any number. */
  readonly bindings: readonly string[];
  /** `work`: durable, shared by the consumers of a party. `private`: of one consumer, gone when it closes, and soon after it dies. */
  readonly kind: "work" | "private";
  /** Only one consumer gets deliveries, the next one takes over when it goes (RabbitMQ: single active consumer). */
  readonly singleActive?: boolean;
}

/** What one work queue holds, deliveries in hand not counted; the message that is one too many is refused. */
export interface QueueLimits {
  readonly messagesMax: number;
  readonly bytesMax: number;
}

export interface ConsumeOptions {
  /** Deliveries in hand at once. */
  readonly prefetch: number;
}

export interface Consumer {
  /** Takes no more; resolves when the deliveries in hand are settled. */
  cancel(): Promise<void>;
}

/** One time that a message was not carried out. */
export interface Attempt {
  readonly queue: string;
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

/** A message that will not be delivered any more, as the dead-letter queue holds it. */
export interface DeadLetter extends Sent {
  readonly queue: string;
  readonly reason: string;
  readonly tries: number;
  /** Its retries and its end, oldest first; only the last of very many. */
  readonly history: readonly Attempt[];
}

/** One that is looked at. What its visitor neither redrives nor drops stays where it is. */
export interface HeldDeadLetter extends DeadLetter {
  /**
   * Back to the queue that it came from, as if never tried and without expiry; removed here only
   * when the broker has confirmed it there.
   * @throws DynamosError UNROUTABLE (that queue is gone), BROKER_UNAVAILABLE
   */
  redrive(): Promise<void>;
  drop(): Promise<void>;
}

export type BrokerStatus =
  | { readonly kind: "connected" }
  /** Connected, but the broker takes no messages: it is short of memory or disk. */
  | { readonly kind: "blocked"; readonly reason: string }
  | { readonly kind: "reconnecting"; readonly reason: string }
  | { readonly kind: "closed" };

export interface Broker {
  /** Idempotent. */
  declare(queues: readonly Queue[]): Promise<void>;
  /**
   * Resolves when the broker has taken responsibility.
   * @throws DynamosError UNROUTABLE (no queue takes the key), OVERLOADED (its queue is full), DENIED (this user
   * may not send there), BROKER_UNAVAILABLE (not confirmed), BODY_TOO_LARGE
   */
  publish(message: Message): Promise<void>;
  consume(
    queue: string,
    options: ConsumeOptions,
    handler: (delivery: Delivery) => Promise<Disposition>,
  ): Promise<Consumer>;
  /** Shows up to `max` dead letters, oldest first, one after the other. @returns how many */
  visitDeadLetters(max: number, visit: (letter: HeldDeadLetter) => Promise<void>): Promise<number>;
  /** Bytes that are too many for a message. */
  readonly transfers: Transfers;
  /** Whether it says who sent a delivery: each party has a user of its own. */
  readonly vouchesForSenders: boolean;
  status(): BrokerStatus;
  /** Calls back with each change of status; returns the way to stop it. */
  onStatus(listener: (status: BrokerStatus) => void): () => void;
  /** Resolves when nothing of it is left: consumers cancelled, publishes settled, connection closed. */
  close(): Promise<void>;
}
