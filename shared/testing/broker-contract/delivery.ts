import { describe, expect, it } from "vitest";
import { limits } from "#domain/limits";
import { takeDeadLetters } from "#testing/take-dead-letters";
import { collector, message, type Opened, work } from "./kit.ts";

export function deliveryContract(open: () => Opened): void {
  describe("delivery", () => {
    it("keeps a message for a consumer that comes later", async () => {
      const { broker } = open();
      const { handler, ids } = collector();
      await broker.declare([work("q")]);
      await broker.publish(message("q"));
      await broker.consume("q", { prefetch: 1 }, handler);
      await expect.poll(ids).toEqual(["m1"]);
    });

    it("hands out at most prefetch messages at once", async () => {
      const { broker } = open();
      let release: () => void = () => {};
      const gate = new Promise<void>((resolve) => {
        release = resolve;
      });
      const { seen, handler } = collector(async () => {
        await gate;
        return { kind: "done" };
      });
      await broker.declare([work("q")]);
      await broker.consume("q", { prefetch: 3 }, handler);
      for (let i = 0; i < 6; i++) await broker.publish(message("q", `m${i}`));
      await expect.poll(() => seen.length).toBe(3);
      await new Promise((resume) => setTimeout(resume, 50));
      expect(seen).toHaveLength(3);
      release();
      await expect.poll(() => seen.length).toBe(6);
    });

    it("goes to one consumer of a queue with a single active one, and to the next when it is gone", async () => {
      const { world, broker } = open();
      const other = await world.connect("VU");
      const held = collector(() => new Promise(() => {}));
      const next = collector();
      await broker.declare([{ ...work("q"), singleActive: true }]);
      await broker.consume("q", { prefetch: 10 }, held.handler);
      await other.consume("q", { prefetch: 10 }, next.handler);
      for (let i = 0; i < 4; i++) await other.publish(message("q", `m${i}`));
      await expect.poll(held.ids).toEqual(["m0", "m1", "m2", "m3"]);
      expect(next.seen).toEqual([]);
      await broker.close();
      await expect.poll(next.ids).toEqual(["m0", "m1", "m2", "m3"]);
      expect(next.seen.every(({ redelivered }) => redelivered)).toBe(true);
    });

    it("shares a queue between the consumers of two connections, each message once", async () => {
      const { world, broker } = open();
      const other = await world.connect("VU");
      const [first, second] = [collector(), collector()];
      await broker.declare([work("q")]);
      await broker.consume("q", { prefetch: 1 }, first.handler);
      await other.consume("q", { prefetch: 1 }, second.handler);
      const sent = Array.from({ length: 20 }, (_, i) => `m${String(i).padStart(2, "0")}`);
      for (const id of sent) await broker.publish(message("q", id));
      await expect.poll(() => [...first.ids(), ...second.ids()].sort()).toEqual(sent);
      expect(first.seen.length).toBeGreaterThan(0);
      expect(second.seen.length).toBeGreaterThan(0);
    });

    it("delivers again, marked so, what a connection held when it closed", async () => {
      const { world, broker } = open();
      const other = await world.connect("VU");
      await broker.declare([work("q")]);
      const held = collector(() => new Promise(() => {}));
      await other.consume("q", { prefetch: 1 }, held.handler);
      await broker.publish(message("q"));
      await expect.poll(held.ids).toEqual(["m1"]);
      await other.close();
      const { seen, handler } = collector();
      await broker.consume("q", { prefetch: 1 }, handler);
      await expect.poll(() => seen).toMatchObject([{ id: "m1", redelivered: true }]);
    });

    it("puts aside a message whose consumers die with it each time, after so many, and the queue goes on", async () => {
      const { world, broker } = open();
      await broker.declare([work("q")]);
      await broker.publish(message("q", "poison"));
      for (let deaths = 0; deaths <= limits.redeliveriesMax; deaths++) {
        // As a killed process: what it has in hand is not given back by it.
        const victim = await world.connect("UVA");
        const { handler, ids } = collector(() => new Promise(() => {}));
        await victim.consume("q", { prefetch: 1 }, handler);
        await expect.poll(ids).toEqual(["poison"]);
        await victim.close();
      }
      const { ids, handler } = collector();
      await broker.consume("q", { prefetch: 1 }, handler);
      await broker.publish(message("q", "next"));
      await expect.poll(ids).toEqual(["next"]);
      await expect
        .poll(() => takeDeadLetters(broker, 10))
        .toMatchObject([
          { id: "poison", queue: "q", tries: 0, reason: "WORKER_CRASHED: every consumer died with it in hand" },
        ]);
    }, 60_000);

    it("delivers again at once what a handler returns", async () => {
      const { broker } = open();
      const { seen, handler } = collector((delivery) => (delivery.redelivered ? { kind: "done" } : { kind: "return" }));
      await broker.declare([work("q")]);
      await broker.consume("q", { prefetch: 1 }, handler);
      await broker.publish(message("q"));
      await expect.poll(() => seen.map(({ redelivered }) => redelivered)).toEqual([false, true]);
    });

    it("takes no more after a cancel, and the cancel waits for what is in hand", async () => {
      const { broker } = open();
      const order: string[] = [];
      await broker.declare([work("q")]);
      const consumer = await broker.consume("q", { prefetch: 1 }, async () => {
        await new Promise((resume) => setTimeout(resume, 50));
        order.push("settled");
        return { kind: "done" };
      });
      await broker.publish(message("q"));
      await new Promise((resume) => setTimeout(resume, 25));
      await consumer.cancel();
      order.push("cancelled");
      await broker.publish(message("q", "m2"));
      await new Promise((resume) => setTimeout(resume, 100));
      expect(order).toEqual(["settled", "cancelled"]);
    });
  });
}
