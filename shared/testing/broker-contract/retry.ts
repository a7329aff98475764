import { describe, expect, it } from "vitest";
import { collector, message, type Opened, work } from "./kit.ts";

export function retryContract(open: () => Opened): void {
  describe("retry", () => {
    it("comes back after a while with one try more", async () => {
      const { broker } = open();
      const { seen, handler } = collector(({ tries }) =>
        tries < 2 ? { kind: "retry", afterMs: 20, reason: "x" } : { kind: "done" },
      );
      await broker.declare([work("q", "some.key")]);
      await broker.consume("q", { prefetch: 1 }, handler);
      await broker.publish(message("some.key"));
      await expect.poll(() => seen.map(({ tries }) => tries)).toEqual([0, 1, 2]);
      expect(new Set(seen.map(({ id, routingKey, queue }) => `${id} ${routingKey} ${queue}`))).toEqual(
        new Set(["m1 some.key q"]),
      );
    });

    it("comes back to its own queue alone", async () => {
      const { broker } = open();
      const [first, second] = [
        collector(({ tries }) => (tries === 0 ? { kind: "retry", afterMs: 20, reason: "x" } : { kind: "done" })),
        collector(),
      ];
      await broker.declare([work("a", "x"), work("b", "x")]);
      await broker.consume("a", { prefetch: 1 }, first.handler);
      await broker.consume("b", { prefetch: 1 }, second.handler);
      await broker.publish(message("x"));
      await expect.poll(() => first.seen.length).toBe(2);
      expect(second.seen).toHaveLength(1);
    });

    it("does not hold up the queue behind it", async () => {
      const { broker } = open();
      const { handler, ids } = collector(({ id, tries }) =>
        id === "slow" && tries === 0 ? { kind: "retry", afterMs: 400, reason: "x" } : { kind: "done" },
      );
      await broker.declare([work("q")]);
      await broker.consume("q", { prefetch: 1 }, handler);
      await broker.publish(message("q", "slow"));
      await broker.publish(message("q", "quick"));
      await expect.poll(ids).toEqual(["slow", "quick", "slow"]);
    });
  });
}
