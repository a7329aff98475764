import { describe, expect, it } from "vitest";
import { collector, message, type Opened, work } from "./kit.ts";

export function deadLetterContract(open: () => Opened): void {
  describe("dead letters", () => {
    it("keep the message with its reason, queue and tries", async () => {
      const { broker } = open();
      const { handler } = collector(({ tries }) =>
        tries === 0 ? { kind: "retry", afterMs: 10, reason: "x" } : { kind: "dead-letter", reason: "SQL_INVALID: no" },
      );
      await broker.declare([work("q", "key")]);
      await broker.consume("q", { prefetch: 1 }, handler);
      await broker.publish(message("key"));
      await expect
        .poll(() => broker.takeDeadLetters(10))
        .toMatchObject([
          { id: "m1", routingKey: "key", queue: "q", reason: "SQL_INVALID: no", tries: 1, queryId: "q1" },
        ]);
    });

    it("take what expires in its queue", async () => {
      const { broker } = open();
      await broker.declare([work("q")]);
      await broker.publish(message("q", "late", { expiresInMs: 30 }));
      await expect
        .poll(() => broker.takeDeadLetters(10))
        .toMatchObject([{ id: "late", queue: "q", reason: "DEADLINE_EXCEEDED: expired in the queue" }]);
    });

    it("take what has expired by the time of its next try", async () => {
      const { broker } = open();
      const { seen, handler } = collector(() => ({ kind: "retry", afterMs: 150, reason: "x" }));
      await broker.declare([work("q")]);
      await broker.consume("q", { prefetch: 1 }, handler);
      await broker.publish(message("q", "late", { expiresInMs: 100 }));
      await expect
        .poll(() => broker.takeDeadLetters(10))
        .toMatchObject([{ id: "late", tries: 1, reason: "DEADLINE_EXCEEDED: expired in the queue" }]);
      expect(seen).toHaveLength(1);
    });

    it("are taken out once, at most as many as asked for", async () => {
      const { broker } = open();
      const { handler } = collector(() => ({ kind: "dead-letter", reason: "x" }));
      await broker.declare([work("q")]);
      await broker.consume("q", { prefetch: 1 }, handler);
      for (const id of ["a", "b", "c"]) await broker.publish(message("q", id));
      const taken: string[] = [];
      await expect
        .poll(async () => {
          const some = await broker.takeDeadLetters(2);
          expect(some.length).toBeLessThanOrEqual(2);
          taken.push(...some.map(({ id }) => id));
          return taken;
        })
        .toEqual(["a", "b", "c"]);
      expect(await broker.takeDeadLetters(10)).toEqual([]);
    });

    it("take what a handler throws on before it waits", async () => {
      const { broker } = open();
      await broker.declare([work("q")]);
      await broker.consume("q", { prefetch: 1 }, () => {
        throw new Error("a defect");
      });
      await broker.publish(message("q", "bad"));
      await expect
        .poll(() => broker.takeDeadLetters(10))
        .toMatchObject([{ id: "bad", reason: "INTERNAL: the handler threw" }]);
    });

    it("take what a handler throws on, and the consumer goes on", async () => {
      const { broker } = open();
      const { handler, ids } = collector(({ id }) => {
        if (id === "bad") throw new Error("a defect");
        return { kind: "done" };
      });
      await broker.declare([work("q")]);
      await broker.consume("q", { prefetch: 1 }, handler);
      await broker.publish(message("q", "bad"));
      await broker.publish(message("q", "good"));
      await expect.poll(ids).toEqual(["bad", "good"]);
      await expect
        .poll(() => broker.takeDeadLetters(10))
        .toMatchObject([{ id: "bad", reason: "INTERNAL: the handler threw" }]);
    });
  });
}
