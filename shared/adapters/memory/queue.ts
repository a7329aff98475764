/** One queue of the in-memory broker: messages wait, consumers take turns, what is in hand comes back when its holder goes. */

import { limits } from "#domain/limits";
import type { Attempt, Delivery, Disposition, QueueLimits, Sent } from "#ports/broker";
import type { Clock } from "#ports/clock";

export interface Waiting {
  readonly message: Sent;
  readonly tries: number;
  readonly history: readonly Attempt[];
  redelivered: boolean;
  /** How often its consumer died with it in hand, or gave it back. */
  readonly redeliveries: number;
  /** When it expires; undefined: never. A retry does not put it off. */
  readonly expiresAtMs: number | undefined;
  /** Takes its timer away: of expiry while it waits, of return while it is put back. */
  stopTimer: (() => void) | undefined;
}

export interface QueueConsumer {
  readonly owner: symbol;
  readonly prefetch: number;
  readonly handler: (delivery: Delivery) => Promise<Disposition>;
  inHand: number;
  /** Called when nothing is in hand any more. */
  onIdle: (() => void)[];
}

export interface QueueEvents {
  readonly clock: Clock;
  /** Of work queues. */
  readonly limits: QueueLimits;
  deadLetter(queue: string, waiting: Waiting, reason: string): void;
}

const poison = "WORKER_CRASHED: every consumer died with it in hand";
const expired = "DEADLINE_EXCEEDED: expired in the queue";

/** What is set for work does not hold for replies. */
const replyLimits: QueueLimits = { messagesMax: limits.queueMessagesMax, bytesMax: limits.queueBytesMax };

export class MemoryQueue {
  readonly name: string;
  readonly bindings = new Set<string>();
  /** The connection that a private queue dies with. */
  readonly owner: symbol | undefined;
  private readonly singleActive: boolean;
  private readonly events: QueueEvents;
  private readonly waiting: Waiting[] = [];
  private readonly putBack = new Map<Waiting, number>();
  private readonly held = new Map<symbol, { waiting: Waiting; consumer: QueueConsumer }>();
  private consumers: QueueConsumer[] = [];

  constructor(
    { name, singleActive }: { name: string; singleActive?: boolean },
    owner: symbol | undefined,
    events: QueueEvents,
  ) {
    this.name = name;
    this.owner = owner;
    this.singleActive = singleActive === true;
    this.events = events;
  }

  /** As RabbitMQ counts: what waits, with this one. */
  hasRoomFor({ body }: Sent): boolean {
    const { messagesMax, bytesMax } = this.owner === undefined ? this.events.limits : replyLimits;
    const waitingBytes = this.waiting.reduce((sum, { message }) => sum + message.body.length, 0);
    return this.waiting.length < messagesMax && waitingBytes + body.length <= bytesMax;
  }

  push(message: Sent): void {
    const expiresAtMs = message.expiresInMs === undefined ? undefined : this.events.clock.now() + message.expiresInMs;
    const untouched = { tries: 0, history: [], redelivered: false, redeliveries: 0, stopTimer: undefined };
    this.enqueue({ message, expiresAtMs, ...untouched }, "last");
    this.dispatch();
  }

  addConsumer(consumer: QueueConsumer): void {
    this.consumers.push(consumer);
    this.dispatch();
  }

  /** Takes no more. What it holds stays with it until settled. */
  cancel(consumer: QueueConsumer): Promise<void> {
    this.consumers = this.consumers.filter((one) => one !== consumer);
    return consumer.inHand === 0 ? Promise.resolve() : new Promise((resolve) => void consumer.onIdle.push(resolve));
  }

  /** The connection is gone: its consumers too, and what they held goes back to the front. */
  dropOwner(owner: symbol): void {
    this.consumers = this.consumers.filter((consumer) => consumer.owner !== owner);
    const returned = [...this.held].filter(([, { consumer }]) => consumer.owner === owner);
    for (const [tag, { waiting, consumer }] of returned.reverse()) {
      this.held.delete(tag);
      consumer.inHand -= 1;
      this.giveBack(waiting);
      if (consumer.inHand === 0) for (const idle of consumer.onIdle.splice(0)) idle();
    }
    this.dispatch();
  }

  /** Nobody is connected: what is here stays, and no timer runs. */
  pause(): void {
    for (const waiting of [...this.waiting, ...this.putBack.keys()]) waiting.stopTimer?.();
  }

  resume(): void {
    for (const waiting of [...this.waiting]) this.expireInTime(waiting);
    for (const [waiting, dueMs] of this.putBack) this.returnInTime(waiting, dueMs);
  }

  private dispatch(): void {
    while (this.waiting.length > 0) {
      const active = this.singleActive ? this.consumers.slice(0, 1) : this.consumers;
      const consumer = active.find((one) => one.inHand < one.prefetch);
      const next = consumer && this.waiting.shift();
      if (consumer === undefined || next === undefined) return;
      // Turns: the one that just got a message goes to the end of the line.
      if (!this.singleActive) this.consumers = [...this.consumers.filter((one) => one !== consumer), consumer];
      this.deliver(next, consumer);
    }
  }

  private deliver(waiting: Waiting, consumer: QueueConsumer): void {
    const tag = Symbol("delivery");
    waiting.stopTimer?.();
    this.held.set(tag, { waiting, consumer });
    consumer.inHand += 1;
    const { message, tries, redelivered } = waiting;
    // Never inside publish(): a broker is another process.
    setImmediate(async () => {
      if (!this.held.has(tag)) return; // Its connection closed meanwhile.
      const disposition = await answerOf(consumer, { ...message, queue: this.name, tries, redelivered });
      this.settle(tag, disposition);
    });
  }

  private settle(tag: symbol, disposition: Disposition): void {
    const held = this.held.get(tag);
    if (held === undefined) return; // Its connection is gone and the message already back.
    this.held.delete(tag);
    const { waiting, consumer } = held;
    consumer.inHand -= 1;
    if (disposition.kind === "retry") {
      const attempt = { queue: this.name, reason: disposition.reason, atMs: this.events.clock.now() };
      const history = [...waiting.history, attempt].slice(-limits.historyMax);
      this.returnInTime(
        { ...waiting, tries: waiting.tries + 1, history, redelivered: false },
        this.events.clock.now() + disposition.afterMs,
      );
    } else if (disposition.kind === "dead-letter") {
      this.events.deadLetter(this.name, waiting, disposition.reason);
    } else if (disposition.kind === "return") {
      this.giveBack(waiting);
    }
    if (consumer.inHand === 0) for (const idle of consumer.onIdle.splice(0)) idle();
    this.dispatch();
  }

  private giveBack(waiting: Waiting): void {
    const redeliveries = waiting.redeliveries + 1;
    if (redeliveries > limits.redeliveriesMax) this.events.deadLetter(this.name, waiting, poison);
    else this.enqueue({ ...waiting, redelivered: true, redeliveries }, "first");
  }

  private enqueue(waiting: Waiting, place: "first" | "last"): void {
    if (waiting.expiresAtMs !== undefined && waiting.expiresAtMs <= this.events.clock.now()) {
      this.events.deadLetter(this.name, waiting, expired);
      return;
    }
    if (place === "first") this.waiting.unshift(waiting);
    else this.waiting.push(waiting);
    this.expireInTime(waiting);
  }

  private expireInTime(waiting: Waiting): void {
    if (waiting.expiresAtMs === undefined) return;
    waiting.stopTimer = this.events.clock.after(waiting.expiresAtMs - this.events.clock.now(), () => {
      const index = this.waiting.indexOf(waiting);
      if (index < 0) return;
      this.waiting.splice(index, 1);
      this.events.deadLetter(this.name, waiting, expired);
    });
  }

  private returnInTime(waiting: Waiting, dueMs: number): void {
    this.putBack.set(waiting, dueMs);
    waiting.stopTimer = this.events.clock.after(dueMs - this.events.clock.now(), () => {
      // Timers count in whole milliseconds of their own and may be one early by the clock's.
      if (this.events.clock.now() < dueMs) return this.returnInTime(waiting, dueMs);
      this.putBack.delete(waiting);
      this.enqueue(waiting, "last");
      this.dispatch();
    });
  }
}

/** A handler that throws, now or later, is a defect: its message is put aside and the consumer goes on. */
async function answerOf(consumer: QueueConsumer, delivery: Delivery): Promise<Disposition> {
  try {
    return await consumer.handler(delivery);
  } catch {
    return { kind: "dead-letter", reason: "INTERNAL: the handler threw" };
  }
}
