/** The life of one sidecar that a test may end at a named point, as SIGKILL would: nothing that follows happens. */
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Broker, Delivery, Disposition } from "#ports/broker";
import type { Clock } from "#ports/clock";
import type { Invoker } from "#ports/invoker";
import type { Knowledge } from "#ports/knowledge";
import type { Transfers } from "#ports/transfers";

/** What it has just done. `chunk`: written one of a large table; `dropped`: ended a transfer that it had read. */
export type Gap = "taken" | "invoked" | "chunk" | "published" | "confirmed" | "dropped" | "acknowledged";

export interface Point {
  readonly gap: Gap;
  /** The queue (taken, confirmed, acknowledged), the function (invoked), the routing key (published) or the transfer. */
  readonly at: string;
}

/** An acknowledgement has no answer: so long it may take to the broker. */
const acknowledgedMs = 20;

export class Life {
  readonly over = new AbortController();
  /** Deliveries whose handlers have not returned. */
  inHand = 0;
  private readonly takenFrom = new Map<string, number>();
  private readonly dies: (point: Point) => boolean;

  constructor(dies: (point: Point) => boolean) {
    this.dies = dies;
  }

  get isOver(): boolean {
    return this.over.signal.aborted;
  }

  /** How many messages of a queue it has had. */
  taken(queue: string): number {
    return this.takenFrom.get(queue) ?? 0;
  }

  count(queue: string): void {
    this.takenFrom.set(queue, this.taken(queue) + 1);
  }

  end(): void {
    this.over.abort();
  }

  /** Never returns once it is over. */
  async reach(gap: Gap, at: string): Promise<void> {
    if (!this.isOver && this.dies({ gap, at })) this.end();
    await this.goOn();
  }

  async goOn(): Promise<void> {
    if (this.isOver) await new Promise<never>(() => {});
  }

  onEnd(callback: () => void): void {
    this.over.signal.addEventListener("abort", callback, { once: true });
  }
}

/** @param transfers gets the names of those that are there */
export function mortalBroker(broker: Broker, life: Life, transfers: Set<string>): Broker {
  async function handled(
    queue: string,
    delivery: Delivery,
    handler: (delivery: Delivery) => Promise<Disposition>,
  ): Promise<Disposition> {
    life.inHand += 1;
    life.count(queue);
    await life.reach("taken", queue);
    const disposition = await handler(delivery);
    await life.reach("confirmed", queue);
    life.inHand -= 1;
    setTimeout(() => void life.reach("acknowledged", queue), acknowledgedMs).unref();
    return disposition;
  }

  return {
    declare: (queues) => broker.declare(queues),
    publish: async (message) => {
      await life.goOn();
      await broker.publish(message);
      await life.reach("published", message.routingKey);
    },
    consume: (queue, options, handler) =>
      broker.consume(queue, options, (delivery) => handled(queue, delivery, handler)),
    visitDeadLetters: (max, visit) => broker.visitDeadLetters(max, visit),
    transfers: mortalTransfers(broker.transfers, life, transfers),
    vouchesForSenders: broker.vouchesForSenders,
    status: () => broker.status(),
    onStatus: (listener) => broker.onStatus(listener),
    close: () => broker.close(),
  };
}

/** An answer's is kept for minutes; of one that dies here nobody fetches it. */
const transferMsMax = 30_000;

function mortalTransfers(transfers: Transfers, life: Life, there: Set<string>): Transfers {
  return {
    open: async (target) => {
      const expiresInMs = Math.min(target.expiresInMs, transferMsMax);
      const { name, write, end } = await transfers.open({ ...target, expiresInMs });
      there.add(name);
      return {
        name,
        write: async (chunk) => {
          await write(chunk);
          await life.reach("chunk", name);
        },
        end,
      };
    },
    read: (name, signal) => transfers.read(name, signal),
    renew: (name) => transfers.renew(name),
    drop: async (name) => {
      await life.goOn();
      await transfers.drop(name);
      there.delete(name);
      await life.reach("dropped", name);
    },
  };
}

/** How the process of a function dies: before it begins, while it sends a large table, or before its outcome is read. */
export type Crash = "before" | "midway" | "after";

/** @param crashes asked at each call of a function */
export function mortalInvoker(invoker: Invoker, life: Life, crashes: (name: string) => Crash | undefined): Invoker {
  return {
    steps: () => invoker.steps(),
    invoke: async (name, invocation, options) => {
      const crash = crashes(name);
      if (crash === "before") throw crashed();
      let pieces = 0;
      const take = async (bytes: Uint8Array) => {
        pieces += 1;
        if (crash === "midway" && pieces > 1) throw crashed();
        await invocation.take(bytes);
      };
      const outcome = await invoker.invoke(name, { ...invocation, take }, options);
      if (crash !== undefined) throw crashed();
      await life.reach("invoked", name);
      return outcome;
    },
    close: () => invoker.close(),
  };
}

function crashed(): DynamosError {
  return new DynamosError(ErrorCode.WORKER_CRASHED, "the process died");
}

export function mortalClock(clock: Clock, life: Life): Clock {
  const stops = new Set<() => void>();
  life.onEnd(() => {
    for (const stop of stops) stop();
  });
  return {
    now: () => clock.now(),
    after: (delayMs, callback) => {
      if (life.isOver) return () => {};
      const stop = clock.after(delayMs, () => {
        stops.delete(stop);
        callback();
      });
      stops.add(stop);
      return () => {
        stops.delete(stop);
        stop();
      };
    },
  };
}

/** Leases outlive their holder for as long as they were granted. */
export function mortalKnowledge(knowledge: Knowledge, life: Life): Knowledge {
  return {
    get: (key) => knowledge.get(key),
    list: (prefix) => knowledge.list(prefix),
    put: (key, value, options) => knowledge.put(key, value, options),
    delete: (key, options) => knowledge.delete(key, options),
    watch: (prefix, fromRevision) => {
      const watch = knowledge.watch(prefix, fromRevision);
      life.onEnd(() => watch.close());
      return watch;
    },
    grant: async (ttlMs) => {
      const lease = await knowledge.grant(ttlMs);
      life.onEnd(() => void setTimeout(() => void lease.end(), limits.partyLeaseMs).unref());
      return lease;
    },
    close: async () => {},
  };
}
