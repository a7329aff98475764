/** A broker in this process. Passes the same contract suite as the AMQP adapter. */
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { tooLarge } from "#domain/message-size";
import { DynamosError } from "#errors";
import type { Broker, BrokerStatus, DeadLetter, Queue, QueueLimits } from "#ports/broker";
import type { Clock } from "#ports/clock";
import { systemClock } from "../system/clock.ts";
import { MemoryQueue, type QueueConsumer, type QueueEvents } from "./queue.ts";
import { fitsTopic } from "./topic.ts";
import { createMemoryTransfers, type MemoryTransfers } from "./transfers.ts";

/** What the connections of all parties share. */
export interface MemoryExchange {
  /** @param options.ownUser as if the party had a broker user of its own: its deliveries say who sent them */
  connect(options: { party: string; ownUser?: boolean }): Broker;
}

/** @param queueLimits absent: those of domain/limits */
export function createMemoryExchange(
  clock: Clock = systemClock,
  queueLimits: Partial<QueueLimits> = {},
): MemoryExchange {
  const queues = new Map<string, MemoryQueue>();
  const deadLetters: DeadLetter[] = [];
  const events: QueueEvents = {
    clock,
    limits: { messagesMax: limits.queueMessagesMax, bytesMax: limits.queueBytesMax, ...queueLimits },
    deadLetter: (queue, { message, tries, history }, reason) => {
      const last = { queue, reason, atMs: clock.now() };
      deadLetters.push({ ...message, queue, tries, reason, history: [...history, last].slice(-limits.historyMax) });
      if (deadLetters.length > limits.deadLettersMax) deadLetters.shift();
    },
  };
  const connections = new Set<symbol>();
  const transfers = createMemoryTransfers(clock);
  const shared = { queues, deadLetters, events, connections, transfers };
  return { connect: ({ party, ownUser }) => connect(shared, ownUser ? party.toLowerCase() : undefined) };
}

interface Shared {
  readonly queues: Map<string, MemoryQueue>;
  readonly deadLetters: DeadLetter[];
  readonly events: QueueEvents;
  /** While there is none, no timer of the exchange runs. */
  readonly connections: Set<symbol>;
  readonly transfers: MemoryTransfers;
}

function connect({ queues, deadLetters, events, connections, transfers }: Shared, user: string | undefined): Broker {
  const self = Symbol("connection");
  const listeners = new Set<(status: BrokerStatus) => void>();
  let status: BrokerStatus = { kind: "connected" };
  if (connections.size === 0) {
    transfers.resume();
    for (const queue of queues.values()) queue.resume();
  }
  connections.add(self);

  function checkOpen(): void {
    if (status.kind !== "connected") throw new DynamosError(ErrorCode.BROKER_UNAVAILABLE, "the connection is closed");
  }

  function declareOne({ name, bindings, kind, singleActive = false }: Queue): void {
    const queue =
      queues.get(name) ?? new MemoryQueue({ name, singleActive }, kind === "private" ? self : undefined, events);
    for (const binding of bindings) queue.bindings.add(binding);
    queues.set(name, queue);
  }

  return {
    declare: async (wanted) => {
      checkOpen();
      wanted.forEach(declareOne);
    },
    publish: async (message) => {
      checkOpen();
      const oversize = tooLarge(message.body);
      if (oversize !== undefined) throw new DynamosError(ErrorCode.BODY_TOO_LARGE, oversize);
      const takers = [...queues.values()].filter((queue) =>
        [...queue.bindings].some((binding) => fitsTopic(binding, message.routingKey)),
      );
      if (takers.length === 0) {
        throw new DynamosError(ErrorCode.UNROUTABLE, `no queue takes ${message.routingKey}`);
      }
      // A copy, as a wire would make one: the publisher may reuse its buffer.
      const sent = { ...message, body: new Uint8Array(message.body), ...(user === undefined ? {} : { sender: user }) };
      const full = takers.filter((queue) => !queue.hasRoomFor(sent));
      for (const queue of takers) if (!full.includes(queue)) queue.push(sent);
      if (full.length > 0) {
        throw new DynamosError(ErrorCode.OVERLOADED, `the queue of ${message.routingKey} is full`);
      }
    },
    consume: async (name, { prefetch }, handler) => {
      checkOpen();
      const queue = queues.get(name);
      if (queue === undefined) throw new DynamosError(ErrorCode.UNROUTABLE, `there is no queue ${name}`);
      const consumer: QueueConsumer = { owner: self, prefetch, handler, inHand: 0, onIdle: [] };
      queue.addConsumer(consumer);
      return { cancel: () => queue.cancel(consumer) };
    },
    visitDeadLetters: async (max, visit) => {
      checkOpen();
      const shown = deadLetters.slice(0, max);
      const remove = (letter: DeadLetter) => void deadLetters.splice(deadLetters.indexOf(letter), 1);
      for (const letter of shown) {
        await visit({
          ...letter,
          redrive: async () => {
            const queue = queues.get(letter.queue);
            if (queue === undefined) throw new DynamosError(ErrorCode.UNROUTABLE, `no queue takes ${letter.queue}`);
            if (!queue.hasRoomFor(letter)) {
              throw new DynamosError(ErrorCode.OVERLOADED, `the queue of ${letter.queue} is full`);
            }
            const { queue: _, reason: _reason, tries: _tries, expiresInMs: _expiry, ...message } = letter;
            queue.push(message);
            remove(letter);
          },
          drop: async () => remove(letter),
        });
      }
      return shown.length;
    },
    transfers,
    vouchesForSenders: user !== undefined,
    status: () => status,
    onStatus: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: async () => {
      if (status.kind === "closed") return;
      status = { kind: "closed" };
      connections.delete(self);
      if (connections.size === 0) transfers.pause();
      for (const queue of queues.values()) {
        queue.dropOwner(self);
        if (queue.owner === self) queues.delete(queue.name);
        if (queue.owner === self || connections.size === 0) queue.pause();
      }
      for (const listener of listeners) listener(status);
    },
  };
}
