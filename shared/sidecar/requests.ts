/** Requests into a chain and the replies that come back for them, each once. */
import { Envelope, ErrorCode, type Reply } from "#contracts";
import { limits } from "#domain/limits";
import { hopId, stepTopic } from "#domain/route";
import { replyTransfers } from "#domain/transferred";
import { DynamosError } from "#errors";
import type { Broker } from "#ports/broker";
import type { Clock } from "#ports/clock";
import { Remembered } from "./remembered.ts";

export interface Requests {
  /**
   * Publishes the envelope and streams what comes back, until the consumer stops, the signal
   * fires or the deadline passes: then it just ends, and the consumer knows what is missing.
   * A reply's transfer is the consumer's to drop from then on.
   * @throws DynamosError UNROUTABLE, BROKER_UNAVAILABLE, OVERLOADED, INVALID_REQUEST (the query id is in use)
   */
  request(envelope: Envelope, signal: AbortSignal): AsyncIterable<Reply>;
  /** Hands a reply to whoever waits for it; the transfer of one that nobody gets is dropped. */
  take(reply: Reply): Promise<void>;
  /** What could not be read was to be a reply for it: whoever waits gets the error, after the replies that are there. */
  fail(queryId: string, error: DynamosError): void;
  readonly open: number;
}

export interface RequestsOptions {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly replyTo: string;
  readonly drop: (transfers: readonly string[]) => Promise<void>;
  /** Tells every sidecar that nobody waits for this query any more. */
  readonly cancel: (queryId: string) => Promise<void>;
}

class Waiter {
  private readonly ids = new Set<string>();
  private readonly queue: Reply[] = [];
  /** Of every reply that it got: a repeated one may refer to them. */
  readonly transfers = new Set<string>();
  private wake: () => void = () => {};
  private ended = false;
  /** Whether a chain of it ended without a result: others of the query may still run, for nobody. */
  hasFailed = false;
  private failure: DynamosError | undefined;

  push(reply: Reply): void {
    if (this.ids.has(reply.id)) return;
    this.ids.add(reply.id);
    for (const name of replyTransfers(reply)) this.transfers.add(name);
    this.hasFailed ||= reply.content?.$case === "failure" || reply.content?.$case === "refusal";
    this.queue.push(reply);
    this.wake();
  }

  end(): void {
    this.ended = true;
    this.wake();
  }

  fail(error: DynamosError): void {
    this.failure ??= error;
    this.end();
  }

  /** @returns the next reply, or undefined when the wait is over. @throws what it failed with */
  async next(): Promise<Reply | undefined> {
    while (this.queue.length === 0 && !this.ended) {
      await new Promise<void>((resume) => {
        this.wake = resume;
      });
    }
    const reply = this.queue.shift();
    if (reply === undefined && this.failure !== undefined) throw this.failure;
    return reply;
  }

  /** Those that the consumer never got. */
  rest(): Reply[] {
    return this.queue.splice(0);
  }
}

export function createRequests({ broker, clock, replyTo, drop, cancel }: RequestsOptions): Requests {
  const waiting = new Map<string, Waiter>();
  /** Queries that ended here: their transfers may still be read. */
  const past = new Remembered<Waiter>(clock, limits.handledIdsMax);

  async function publish(envelope: Envelope, leftMs: number): Promise<void> {
    await broker.publish({
      id: hopId(envelope.queryId, envelope.chain?.id ?? "", envelope.hop, envelope.attempt),
      routingKey: stepTopic(envelope.party, envelope.step),
      type: "envelope",
      queryId: envelope.queryId,
      body: Envelope.encode(envelope).finish(),
      traceparent: envelope.traceparent,
      expiresInMs: Math.max(1, leftMs),
    });
  }

  async function* request(asked: Envelope, signal: AbortSignal): AsyncIterable<Reply> {
    const { queryId } = asked;
    if (waiting.has(queryId)) {
      throw new DynamosError(ErrorCode.INVALID_REQUEST, `query ${queryId} is already running`);
    }
    const waiter = new Waiter();
    waiting.set(queryId, waiter);
    const leftMs = asked.deadlineMs - clock.now();
    const end = () => waiter.end();
    const stopTimer = clock.after(Math.max(0, leftMs), end);
    signal.addEventListener("abort", end, { once: true });
    try {
      await publish({ ...asked, replyTo }, leftMs);
      for (let reply = await waiter.next(); reply !== undefined; reply = await waiter.next()) {
        yield reply;
      }
    } finally {
      stopTimer();
      signal.removeEventListener("abort", end);
      waiting.delete(queryId);
      past.set(queryId, waiter);
      // Its asker need not wait for that; what is not told ends by the deadline.
      if (waiter.hasFailed) void cancel(queryId).catch(() => {});
      await drop(waiter.rest().flatMap(replyTransfers));
    }
  }

  return {
    request,
    take: async (reply) => {
      const waiter = waiting.get(reply.queryId);
      waiter?.push(reply);
      const inUse = (waiter ?? past.get(reply.queryId))?.transfers;
      await drop(replyTransfers(reply).filter((name) => !inUse?.has(name)));
    },
    fail: (queryId, error) => waiting.get(queryId)?.fail(error),
    get open() {
      return waiting.size;
    },
  };
}
