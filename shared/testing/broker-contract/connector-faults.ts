/**
 * What existing connectors between RabbitMQ and OpenFaaS were seen to do wrong, as what must hold
 * instead: the part of it that is the broker's side.
 */
import { describe, expect, it } from "vitest";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { retryAfterMs } from "#domain/retry";
import type { Delivery, Disposition } from "#ports/broker";
import { takeDeadLetters } from "#testing/take-dead-letters";
import { collector, message, type Opened, work } from "./kit.ts";

export function connectorFaultsContract(open: () => Opened): void {
  describe("what existing connectors do wrong", () => {
    it("no prefetch: 300 slow messages are in hand a few at a time, the rest wait at the broker, none fails", async () => {
      const { broker } = open();
      let inHand = 0;
      let most = 0;
      const { ids, handler } = collector(async () => {
        inHand += 1;
        most = Math.max(most, inHand);
        await new Promise((resume) => setTimeout(resume, 5));
        inHand -= 1;
        return { kind: "done" };
      });
      await broker.declare([work("q")]);
      const sent = Array.from({ length: 300 }, (_, i) => `m${i}`);
      await Promise.all(sent.map((id) => broker.publish(message("q", id))));
      await broker.consume("q", { prefetch: 8 }, handler);
      await expect.poll(() => ids().length, { timeout: 20_000 }).toBe(300);
      expect(most).toBe(8);
      expect(new Set(ids()).size).toBe(300);
    });

    it("a message lost when nothing matches: its publisher is told by name", async () => {
      const { broker } = open();
      await broker.declare([work("q", "uva.*")]);
      const lost = broker.publish(message("vu.sql-query", "lost"));
      await expect(lost).rejects.toMatchObject({ label: "UNROUTABLE" });
      const { ids, handler } = collector();
      await broker.consume("q", { prefetch: 1 }, handler);
      await broker.publish(message("uva.sql-query", "found"));
      await expect.poll(ids).toEqual(["found"]);
    });

    it("a message lost while its map of functions is stale: it waits in its queue until somebody serves it", async () => {
      const { broker } = open();
      await broker.declare([work("q")]);
      await broker.publish(message("q", "early"));
      const { ids, handler } = collector();
      await broker.consume("q", { prefetch: 1 }, handler);
      await expect.poll(ids).toEqual(["early"]);
    });

    it("a wildcard that stops the consumer: every key that fits it is delivered, with its own name, one after the other", async () => {
      const { broker } = open();
      const { seen, handler } = collector();
      await broker.declare([work("q", "order.*")]);
      await broker.consume("q", { prefetch: 1 }, handler);
      for (const key of ["order.made", "order.paid", "order.sent"]) await broker.publish(message(key, key));
      await expect
        .poll(() => seen.map(({ routingKey }) => routingKey))
        .toEqual(["order.made", "order.paid", "order.sent"]);
    });

    it("an answer repeated thousands of times: tried a bounded number of times, with longer and longer waits, then put aside", async () => {
      const { broker } = open();
      const takenAtMs: number[] = [];
      const { handler } = collector((delivery) => {
        takenAtMs.push(Date.now());
        return answerTo(delivery);
      });
      await broker.declare([work("q")]);
      await broker.consume("q", { prefetch: 1 }, handler);
      await broker.publish(message("q", "accepted", { expiresInMs: 30_000 }));
      const letters = async () =>
        (await takeDeadLetters(broker, 1)).map(({ id, tries, reason }) => ({ id, tries, reason }));
      let put: Awaited<ReturnType<typeof letters>> = [];
      await expect.poll(async () => (put = await letters()), { timeout: 20_000 }).toHaveLength(1);
      expect(put).toEqual([
        { id: "accepted", tries: limits.triesMax, reason: "FUNCTION_UNAVAILABLE: answered with 202" },
      ]);
      expect(takenAtMs).toHaveLength(limits.triesMax + 1);
      // At least the shortest delay lies between two tries; how much more is chance.
      const waitsMs = takenAtMs.slice(1).map((atMs, i) => atMs - (takenAtMs[i] ?? 0));
      expect(Math.min(...waitsMs)).toBeGreaterThanOrEqual(limits.retryFirstMs / 2);
    });
  });
}

/** As the sidecar answers to a function that is not there for it. */
function answerTo({ tries }: Delivery): Disposition {
  const reason = "FUNCTION_UNAVAILABLE: answered with 202";
  const nowMs = Date.now();
  const code = ErrorCode.FUNCTION_UNAVAILABLE;
  const afterMs = retryAfterMs({ code, tries, nowMs, deadlineMs: nowMs + 30_000, jitter: 0 });
  return afterMs === undefined ? { kind: "dead-letter", reason } : { kind: "retry", afterMs, reason };
}
