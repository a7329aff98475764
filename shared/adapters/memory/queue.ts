/** One queue of the in-memory broker: messages wait, consumers take turns, what is in hand comes back when its holder goes. */
import type { Delivery, Disposition, Message } from "#ports/broker";

export interface Waiting {
  readonly message: Message;
  readonly tries: number;
  redelivered: boolean;
  /** When it expires; undefined: never. */
  readonly expiresAtMs: number | undefined;
}

export interface QueueConsumer {
  readonly owner: symbol;
  readonly prefetch: number;
  readonly handler: (delivery: Delivery) => Promise<Disposition>;
  inHand: number;
  cancelled: boolean;
  /** Called when nothing is in hand any more. */
  onIdle: (() => void)[];
}

export interface QueueEvents {
  now(): number;
  after(delayMs: number, callback: () => void): () => void;
  deadLetter(queue: string, waiting: Waiting, reason: string): void;
}

export class MemoryQueue {
  readonly name: string;
  readonly bindings = new Set<string>();
  /** The connection that a private queue dies with. */
  readonly owner: symbol | undefined;
  private readonly events: QueueEvents;
  private readonly waiting: Waiting[] = [];
  private readonly held = new Map<symbol, { waiting: Waiting; consumer: QueueConsumer }>();
  private readonly timers = new Set<() => void>();
  private consumers: QueueConsumer[] = [];

  constructor(name: string, owner: symbol | undefined, events: QueueEvents) {
    this.name = name;
    this.owner = owner;
    this.events = events;
  }

  push(message: Message, tries = 0): void {
    const expiresAtMs = message.expiresInMs === undefined ? undefined : this.events.now() + message.expiresInMs;
    const waiting = { message, tries, redelivered: false, expiresAtMs };
    this.waiting.push(waiting);
    if (message.expiresInMs !== undefined) {
      this.later(message.expiresInMs, () => this.expire(waiting));
    }
    this.dispatch();
  }

  addConsumer(consumer: QueueConsumer): void {
    this.consumers.push(consumer);
    this.dispatch();
  }

  /** Takes no more. What it holds stays with it until settled. */
  cancel(consumer: QueueConsumer): Promise<void> {
    consumer.cancelled = true;
    this.consumers = this.consumers.filter((one) => one !== consumer);
    return consumer.inHand === 0 ? Promise.resolve() : new Promise((resolve) => void consumer.onIdle.push(resolve));
  }

  /** The connection is gone: its consumers too, and what they held goes back to the front. */
  dropOwner(owner: symbol): void {
    this.consumers = this.consumers.filter((consumer) => consumer.owner !== owner);
    const returned = [...this.held].filter(([, { consumer }]) => consumer.owner === owner);
    for (const [tag, { waiting, consumer }] of returned.reverse()) {
      this.held.delete(tag);
      consumer.cancelled = true;
      waiting.redelivered = true;
      this.waiting.unshift(waiting);
    }
    this.dispatch();
  }

  stop(): void {
    for (const cancel of this.timers) cancel();
    this.timers.clear();
    this.consumers = [];
  }

  private dispatch(): void {
    for (;;) {
      const consumer = this.consumers.find((one) => !one.cancelled && one.inHand < one.prefetch);
      if (consumer === undefined || this.waiting.length === 0) return;
      const next = this.waiting.shift();
      if (next === undefined) return;
      // Turns: the one that just got a message goes to the end of the line.
      this.consumers = [...this.consumers.filter((one) => one !== consumer), consumer];
      this.deliver(next, consumer);
    }
  }

  private deliver(waiting: Waiting, consumer: QueueConsumer): void {
    const tag = Symbol("delivery");
    this.held.set(tag, { waiting, consumer });
    consumer.inHand += 1;
    const delivery: Delivery = {
      ...waiting.message,
      queue: this.name,
      tries: waiting.tries,
      redelivered: waiting.redelivered,
    };
    // Never inside publish(): a broker is another process.
    setImmediate(() => {
      consumer.handler(delivery).then(
        (disposition) => this.settle(tag, disposition),
        () => this.settle(tag, { kind: "dead-letter", reason: "INTERNAL: the handler threw" }),
      );
    });
  }

  private settle(tag: symbol, disposition: Disposition): void {
    const held = this.held.get(tag);
    if (held === undefined) return; // Its connection is gone and the message already back.
    this.held.delete(tag);
    const { waiting, consumer } = held;
    consumer.inHand -= 1;
    switch (disposition.kind) {
      case "retry":
        this.later(disposition.afterMs, () => this.push(waiting.message, waiting.tries + 1));
        break;
      case "dead-letter":
        this.events.deadLetter(this.name, waiting, disposition.reason);
        break;
      case "return":
        waiting.redelivered = true;
        this.waiting.unshift(waiting);
        break;
      case "done":
        break;
    }
    if (consumer.inHand === 0) for (const idle of consumer.onIdle.splice(0)) idle();
    this.dispatch();
  }

  private expire(waiting: Waiting): void {
    const index = this.waiting.indexOf(waiting);
    if (index >= 0) {
      this.waiting.splice(index, 1);
      this.events.deadLetter(this.name, waiting, "DEADLINE_EXCEEDED: expired in the queue");
    }
  }

  private later(delayMs: number, callback: () => void): void {
    const cancel = this.events.after(delayMs, () => {
      this.timers.delete(cancel);
      callback();
    });
    this.timers.add(cancel);
  }
}
