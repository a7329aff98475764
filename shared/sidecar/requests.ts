/** The asker's side: who waits for which query, and what has already reached them. */
import { Envelope, ErrorCode, type Reply } from "#contracts";
import { hopId, stepTopic } from "#domain/route";
import { DynamosError } from "#errors";
import type { Broker } from "#ports/broker";
import type { Clock } from "#ports/clock";

export interface Requests {
  /**
   * Sends a request into its first step and yields what comes back, each reply once, until the
   * consumer stops, the signal fires or the deadline passes.
   * @throws DynamosError UNROUTABLE, BROKER_UNAVAILABLE, INVALID_REQUEST (the query id is in use)
   */
  request(envelope: Envelope, signal: AbortSignal): AsyncIterable<Reply>;
  /** Hands a reply to whoever waits for it; a reply that nobody waits for is dropped. */
  take(reply: Reply): void;
  readonly open: number;
}

class Waiter {
  private readonly ids = new Set<string>();
  private readonly queue: Reply[] = [];
  private wake: () => void = () => {};
  private ended = false;

  push(reply: Reply): void {
    if (!this.ids.has(reply.id)) {
      this.ids.add(reply.id);
      this.queue.push(reply);
      this.wake();
    }
  }

  end(): void {
    this.ended = true;
    this.wake();
  }

  /** @returns the next reply, or undefined when the wait is over */
  async next(): Promise<Reply | undefined> {
    while (this.queue.length === 0 && !this.ended) {
      await new Promise<void>((resume) => {
        this.wake = resume;
      });
    }
    return this.queue.shift();
  }
}

export function createRequests(broker: Broker, clock: Clock, replyTo: string): Requests {
  const waiting = new Map<string, Waiter>();

  async function* request(asked: Envelope, signal: AbortSignal): AsyncIterable<Reply> {
    if (waiting.has(asked.queryId)) {
      throw new DynamosError(ErrorCode.INVALID_REQUEST, `query ${asked.queryId} is already running`);
    }
    const envelope: Envelope = { ...asked, replyTo };
    const waiter = new Waiter();
    waiting.set(envelope.queryId, waiter);
    const leftMs = envelope.deadlineMs - clock.now();
    const end = () => waiter.end();
    const stopTimer = clock.after(Math.max(0, leftMs), end);
    signal.addEventListener("abort", end, { once: true });
    try {
      await broker.publish({
        id: hopId(envelope.queryId, envelope.chain?.id ?? "", envelope.hop, envelope.attempt),
        routingKey: stepTopic(envelope.party, envelope.step),
        type: "envelope",
        queryId: envelope.queryId,
        body: Envelope.encode(envelope).finish(),
        traceparent: envelope.traceparent,
        expiresInMs: Math.max(1, leftMs),
      });
      for (let reply = await waiter.next(); reply !== undefined; reply = await waiter.next()) {
        yield reply;
      }
    } finally {
      stopTimer();
      signal.removeEventListener("abort", end);
      waiting.delete(envelope.queryId);
    }
  }

  return {
    request,
    take: (reply) => waiting.get(reply.queryId)?.push(reply),
    get open() {
      return waiting.size;
    },
  };
}
