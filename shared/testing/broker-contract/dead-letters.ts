import { describe, expect, it } from "vitest";
import { takeDeadLetters } from "#testing/take-dead-letters";
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
        .poll(() => takeDeadLetters(broker, 10))
        .toMatchObject([
          { id: "m1", routingKey: "key", queue: "q", reason: "SQL_INVALID: no", tries: 1, queryId: "q1" },
        ]);
    });

    it("take what expires in its queue", async () => {
      const { broker } = open();
      await broker.declare([work("q")]);
      await broker.publish(message("q", "late", { expiresInMs: 30 }));
      await expect
        .poll(() => takeDeadLetters(broker, 10))
        .toMatchObject([{ id: "late", queue: "q", reason: "DEADLINE_EXCEEDED: expired in the queue" }]);
    });

    it("take what has expired by the time of its next try", async () => {
      const { broker } = open();
      const { seen, handler } = collector(() => ({ kind: "retry", afterMs: 150, reason: "x" }));
      await broker.declare([work("q")]);
      await broker.consume("q", { prefetch: 1 }, handler);
      await broker.publish(message("q", "late", { expiresInMs: 100 }));
      await expect
        .poll(() => takeDeadLetters(broker, 10))
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
          const some = await takeDeadLetters(broker, 2);
          expect(some.length).toBeLessThanOrEqual(2);
          taken.push(...some.map(({ id }) => id));
          return taken;
        })
        .toEqual(["a", "b", "c"]);
      expect(await takeDeadLetters(broker, 10)).toEqual([]);
    });

    describe("that are visited", () => {
      /** Three in the dead letters, `a`, `b` and `c`, by a consumer that takes no more. */
      async function three(broker: Opened["broker"]) {
        const { handler } = collector(({ tries }) =>
          tries === 0 ? { kind: "retry", afterMs: 10, reason: "x" } : { kind: "dead-letter", reason: "INTERNAL: x" },
        );
        await broker.declare([work("q", "key")]);
        const consumer = await broker.consume("q", { prefetch: 1 }, handler);
        for (const id of ["a", "b", "c"]) await broker.publish(message("key", id, { expiresInMs: 60_000 }));
        await expect.poll(() => idsOf(broker)).toEqual(["a", "b", "c"]);
        await consumer.cancel();
      }

      async function idsOf(broker: Opened["broker"], max = 10): Promise<string[]> {
        const ids: string[] = [];
        expect(await broker.visitDeadLetters(max, async ({ id }) => void ids.push(id))).toBe(ids.length);
        return ids.sort();
      }

      it("stay where they are, as often as they are looked at", async () => {
        const { broker } = open();
        await three(broker);
        await expect.poll(() => idsOf(broker)).toEqual(["a", "b", "c"]);
        await expect.poll(() => idsOf(broker, 2)).toHaveLength(2);
        // A quorum queue gives back what was looked at in its own time.
        const taken: unknown[] = [];
        await expect
          .poll(async () => taken.push(...(await takeDeadLetters(broker, 10))), { timeout: 10_000 })
          .toBeGreaterThanOrEqual(3);
        expect(taken).toHaveLength(3);
      });

      it("go back to their queue as if never tried when they are redriven, and only once", async () => {
        const { broker } = open();
        await three(broker);
        await broker.visitDeadLetters(10, async (letter) => {
          if (letter.id === "b") await letter.redrive();
        });
        const { seen, handler } = collector();
        await broker.consume("q", { prefetch: 1 }, handler);
        await expect
          .poll(() => seen)
          .toMatchObject([{ id: "b", tries: 0, queue: "q", routingKey: "key", queryId: "q1" }]);
        await expect.poll(() => idsOf(broker)).toEqual(["a", "c"]);
      });

      it("are visited once, also when one comes back meanwhile", async () => {
        const { broker } = open();
        await three(broker);
        const { seen, handler } = collector(() => ({ kind: "dead-letter", reason: "INTERNAL: again" }));
        await broker.consume("q", { prefetch: 1 }, handler);
        const visited = await broker.visitDeadLetters(10, async (letter) => {
          await letter.redrive();
          await expect.poll(() => seen.map(({ id }) => id)).toContain(letter.id);
        });
        expect(visited).toBe(3);
        await expect.poll(() => idsOf(broker)).toEqual(["a", "b", "c"]);
      });

      it("go when they are dropped, and no other", async () => {
        const { broker } = open();
        await three(broker);
        await broker.visitDeadLetters(10, async (letter) => {
          if (letter.id !== "b") await letter.drop();
        });
        await expect.poll(() => idsOf(broker)).toEqual(["b"]);
      });

      it("stay when the queue that they came from is gone", async () => {
        const { world, broker } = open();
        const other = await world.connect("VU");
        await other.declare([{ ...work("mine"), kind: "private" }]);
        const { handler } = collector(() => ({ kind: "dead-letter", reason: "INTERNAL: x" }));
        await other.consume("mine", { prefetch: 1 }, handler);
        await broker.publish(message("mine", "lost"));
        await expect.poll(() => idsOf(other)).toEqual(["lost"]);
        await other.close();
        const again = await world.connect("VU");
        await again.visitDeadLetters(10, async (letter) => {
          await expect(letter.redrive()).rejects.toMatchObject({ label: "UNROUTABLE" });
        });
        await expect.poll(() => idsOf(again)).toEqual(["lost"]);
      });
    });

    it("take what a handler throws on before it waits", async () => {
      const { broker } = open();
      await broker.declare([work("q")]);
      await broker.consume("q", { prefetch: 1 }, () => {
        throw new Error("a defect");
      });
      await broker.publish(message("q", "bad"));
      await expect
        .poll(() => takeDeadLetters(broker, 10))
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
        .poll(() => takeDeadLetters(broker, 10))
        .toMatchObject([{ id: "bad", reason: "INTERNAL: the handler threw" }]);
    });
  });
}
