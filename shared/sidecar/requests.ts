/** Requests into a chain and the replies that come back for them, each once. */
import { Envelope, ErrorCode, type Reply } from "#contracts";
import { limits } from "#domain/limits";
import { isComparing } from "#domain/reuse";
import { hopId, stepTopic } from "#domain/route";
import { replyTransfers } from "#domain/transferred";
import { DynamosError } from "#errors";
import type { Broker } from "#ports/broker";
import type { Clock } from "#ports/clock";
import type { Log } from "#ports/log";
import { createAdaptation } from "./adaptation.ts";
import type { KnowledgeCache } from "./knowledge-cache.ts";
import { Remembered } from "./remembered.ts";
import { isRevoked, Waiter } from "./waiter.ts";

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
  /** Resolves when the running queries are in step with what has changed so far. */
  keepUp(): Promise<void>;
  readonly open: number;
  /** What still waited has no reason to any more: nobody asks. */
  stop(): void;
}

export interface RequestsOptions {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly replyTo: string;
  readonly drop: (transfers: readonly string[]) => Promise<void>;
  /** Tells every sidecar that nobody waits for this query any more, or for its attempts up to this one; 0: all. */
  readonly cancel: (queryId: string, upToAttempt: number) => Promise<void>;
  /** What running queries are kept in step with. */
  readonly cache: KnowledgeCache;
  readonly log: Log;
}

export function createRequests({ broker, clock, log, cache, replyTo, drop, cancel }: RequestsOptions): Requests {
  const waiting = new Map<string, Waiter>();
  /** Queries that ended here: their transfers may still be read. */
  const past = new Remembered<Waiter>(clock, limits.handledIdsMax);
  const adaptation = createAdaptation({
    cache,
    clock,
    log,
    running: () => waiting.values(),
    publish,
    cancel,
    dropRest: (waiter) => void drop(waiter.nextAttempt().flatMap(replyTransfers)),
  });

  async function publish(envelope: Envelope): Promise<void> {
    await broker.publish({
      id: hopId(envelope.queryId, envelope.chain?.id ?? "", envelope.hop, envelope.attempt),
      routingKey: stepTopic(envelope.party, envelope.step),
      type: "envelope",
      queryId: envelope.queryId,
      body: Envelope.encode(envelope).finish(),
      traceparent: envelope.traceparent,
      expiresInMs: Math.max(1, envelope.deadlineMs - clock.now()),
    });
  }

  async function* request(asked: Envelope, signal: AbortSignal): AsyncIterable<Reply> {
    const { queryId } = asked;
    const running = waiting.get(queryId);
    if (running !== undefined && asked.attempt === 1) {
      throw new DynamosError(ErrorCode.INVALID_REQUEST, `query ${queryId} is already running`);
    }
    // Whoever asks again has left the earlier attempt, of which this may not know yet.
    running?.end();
    const before = asked.attempt === 1 ? undefined : (running ?? past.get(queryId));
    const attempt = Math.max(asked.attempt, (before?.attempt ?? 0) + 1);
    const waiter = new Waiter({ ...asked, attempt, replyTo });
    waiting.set(queryId, waiter);
    const leftMs = asked.deadlineMs - clock.now();
    const end = () => waiter.end();
    const stopTimer = clock.after(Math.max(0, leftMs), end);
    signal.addEventListener("abort", end, { once: true });
    try {
      await publish(waiter.asked);
      for (let reply = await waiter.next(); reply !== undefined; reply = await waiter.next()) {
        yield reply;
      }
    } finally {
      stopTimer();
      signal.removeEventListener("abort", end);
      if (waiting.get(queryId) === waiter) waiting.delete(queryId);
      past.set(queryId, waiter);
      // Its asker need not wait for that; what is not told ends by the deadline.
      if (waiter.hasFailed) void cancel(queryId, mayAskAgain(asked) ? waiter.attempt : 0).catch(() => {});
      await drop(waiter.rest().flatMap(replyTransfers));
    }
  }

  /** Who compared, or wanted the head of the answer, asks for all of it under the next attempt. */
  function mayAskAgain(asked: Envelope): boolean {
    return isComparing(asked) || asked.query?.head === true;
  }

  return {
    request,
    take: async (reply) => {
      const waiter = waiting.get(reply.queryId);
      if (waiter !== undefined && !waiter.isStale(reply)) {
        if (isRevoked(reply)) return adaptation.revoked(waiter);
        waiter.push(reply);
        if (reply.content?.$case === "plan") adaptation.planned(waiter);
      }
      const inUse = (waiter ?? past.get(reply.queryId))?.transfers;
      await drop(replyTransfers(reply).filter((name) => !inUse?.has(name)));
    },
    fail: (queryId, error) => waiting.get(queryId)?.fail(error),
    keepUp: adaptation.keepUp,
    stop: adaptation.stop,
    get open() {
      return waiting.size;
    },
  };
}
