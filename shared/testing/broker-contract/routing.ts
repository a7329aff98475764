import { describe, expect, it } from "vitest";
import { collector, message, type Opened, work } from "./kit.ts";

export function routingContract(open: () => Opened): void {
  describe("routing", () => {
    it.each([
      ["uva.sql-query", "uva.sql-query", true],
      ["uva.*", "uva.sql-query", true],
      ["uva.*", "uva", false],
      ["uva.*", "uva.a.b", false],
      ["#", "any.thing.at.all", true],
      ["uva.#", "uva", true],
      ["*.gather", "surf.gather", true],
      ["#.gather", "a.b.gather", true],
      ["uva.sql-query", "vu.sql-query", false],
    ])("binding %s and key %s: %s", async (binding, key, fits) => {
      const { broker } = open();
      await broker.declare([work("q", binding)]);
      const sent = broker.publish(message(key));
      await (fits ? sent : expect(sent).rejects.toMatchObject({ label: "UNROUTABLE" }));
    });

    it("brings body and properties as they were sent", async () => {
      const { broker } = open();
      const body = Uint8Array.from({ length: 256 }, (_, i) => i);
      const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
      await broker.declare([work("q")]);
      const { seen, handler } = collector();
      await broker.consume("q", { prefetch: 1 }, handler);
      await broker.publish(message("q", "ü/1", { body, traceparent, type: "reply", queryId: "é" }));
      await expect.poll(() => seen).toHaveLength(1);
      expect(seen[0]).toMatchObject({
        id: "ü/1",
        queue: "q",
        routingKey: "q",
        type: "reply",
        queryId: "é",
        traceparent,
        tries: 0,
      });
      expect(Uint8Array.from(seen[0]?.body ?? [])).toEqual(body);
    });

    it("gives a message to each queue that is bound, once per queue", async () => {
      const { broker } = open();
      const [first, second] = [collector(), collector()];
      await broker.declare([work("a", "x", "x.#"), work("b", "x")]);
      await broker.consume("a", { prefetch: 1 }, first.handler);
      await broker.consume("b", { prefetch: 1 }, second.handler);
      await broker.publish(message("x"));
      await expect.poll(() => [first.seen.length, second.seen.length]).toEqual([1, 1]);
    });

    it("keeps the order of one publisher", async () => {
      const { broker } = open();
      const { handler, ids } = collector();
      await broker.declare([work("q")]);
      await broker.consume("q", { prefetch: 1 }, handler);
      const sent = Array.from({ length: 200 }, (_, i) => `m${i}`);
      await Promise.all(sent.map((id) => broker.publish(message("q", id))));
      await expect.poll(ids).toEqual(sent);
    });

    it("carries a body of 5 MB", async () => {
      const { broker } = open();
      const { seen, handler } = collector();
      await broker.declare([work("q")]);
      await broker.consume("q", { prefetch: 1 }, handler);
      await broker.publish(message("q", "large", { body: new Uint8Array(5_000_000).fill(7) }));
      await expect.poll(() => seen[0]?.body.length).toBe(5_000_000);
    });

    it("declares twice without complaint", async () => {
      const { world, broker } = open();
      await broker.declare([work("q")]);
      await broker.declare([work("q")]);
      await (await world.connect("UVA")).declare([work("q")]);
    });
  });
}
