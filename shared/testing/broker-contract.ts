/** What every broker adapter must do. Runs over memory and over RabbitMQ. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Broker, Delivery, Disposition, Message, Queue } from "#ports/broker";

export interface BrokerWorld {
  connect(party: string): Promise<Broker>;
  close(): Promise<void>;
}

const work = (name: string, ...bindings: string[]): Queue => ({
  name,
  bindings: bindings.length > 0 ? bindings : [name],
  kind: "work",
});

const message = (routingKey: string, id = "m1", more: Partial<Message> = {}): Message => ({
  id,
  routingKey,
  type: "envelope",
  queryId: "q1",
  body: new TextEncoder().encode(id),
  traceparent: "",
  ...more,
});

/** A handler that keeps what it got. */
function collector(answer: (delivery: Delivery) => Disposition | Promise<Disposition> = () => ({ kind: "done" })) {
  const seen: Delivery[] = [];
  const handler = async (delivery: Delivery) => {
    seen.push(delivery);
    return answer(delivery);
  };
  return { seen, handler, ids: () => seen.map(({ id }) => id) };
}

export function brokerContract(openWorld: () => Promise<BrokerWorld>): void {
  let world: BrokerWorld;
  let broker: Broker;

  beforeEach(async () => {
    world = await openWorld();
    broker = await world.connect("UVA");
  });

  afterEach(() => world.close());

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
      await broker.declare([work("q", binding)]);
      const sent = broker.publish(message(key));
      await (fits ? sent : expect(sent).rejects.toMatchObject({ label: "UNROUTABLE" }));
    });

    it("brings body and properties as they were sent", async () => {
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
      const [first, second] = [collector(), collector()];
      await broker.declare([work("a", "x", "x.#"), work("b", "x")]);
      await broker.consume("a", { prefetch: 1 }, first.handler);
      await broker.consume("b", { prefetch: 1 }, second.handler);
      await broker.publish(message("x"));
      await expect.poll(() => [first.seen.length, second.seen.length]).toEqual([1, 1]);
    });

    it("keeps the order of one publisher", async () => {
      const { handler, ids } = collector();
      await broker.declare([work("q")]);
      await broker.consume("q", { prefetch: 1 }, handler);
      const sent = Array.from({ length: 200 }, (_, i) => `m${i}`);
      await Promise.all(sent.map((id) => broker.publish(message("q", id))));
      await expect.poll(ids).toEqual(sent);
    });

    it("carries a body of 5 MB", async () => {
      const { seen, handler } = collector();
      await broker.declare([work("q")]);
      await broker.consume("q", { prefetch: 1 }, handler);
      await broker.publish(message("q", "large", { body: new Uint8Array(5_000_000).fill(7) }));
      await expect.poll(() => seen[0]?.body.length).toBe(5_000_000);
    });

    it("declares twice without complaint", async () => {
      await broker.declare([work("q")]);
      await broker.declare([work("q")]);
      await (await world.connect("VU")).declare([work("q")]);
    });
  });

  describe("delivery", () => {
    it("keeps a message for a consumer that comes later", async () => {
      const { handler, ids } = collector();
      await broker.declare([work("q")]);
      await broker.publish(message("q"));
      await broker.consume("q", { prefetch: 1 }, handler);
      await expect.poll(ids).toEqual(["m1"]);
    });

    it("hands out at most prefetch messages at once", async () => {
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

    it("shares a queue between the consumers of two connections, each message once", async () => {
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

    it("delivers again at once what a handler returns", async () => {
      const { seen, handler } = collector((delivery) => (delivery.redelivered ? { kind: "done" } : { kind: "return" }));
      await broker.declare([work("q")]);
      await broker.consume("q", { prefetch: 1 }, handler);
      await broker.publish(message("q"));
      await expect.poll(() => seen.map(({ redelivered }) => redelivered)).toEqual([false, true]);
    });

    it("takes no more after a cancel, and the cancel waits for what is in hand", async () => {
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

  describe("retry", () => {
    it("comes back after a while with one try more", async () => {
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

  describe("dead letters", () => {
    it("keep the message with its reason, queue and tries", async () => {
      const { handler } = collector(({ tries }) =>
        tries === 0 ? { kind: "retry", afterMs: 10, reason: "x" } : { kind: "dead-letter", reason: "SQL_INVALID: no" },
      );
      await broker.declare([work("q", "key")]);
      await broker.consume("q", { prefetch: 1 }, handler);
      await broker.publish(message("key"));
      const letters = await expect
        .poll(() => broker.takeDeadLetters(10))
        .toMatchObject([
          { id: "m1", routingKey: "key", queue: "q", reason: "SQL_INVALID: no", tries: 1, queryId: "q1" },
        ]);
      void letters;
    });

    it("take what expires in its queue", async () => {
      await broker.declare([work("q")]);
      await broker.publish(message("q", "late", { expiresInMs: 30 }));
      await expect
        .poll(() => broker.takeDeadLetters(10))
        .toMatchObject([{ id: "late", queue: "q", reason: "DEADLINE_EXCEEDED: expired in the queue" }]);
    });

    it("take what a handler throws on, and the consumer goes on", async () => {
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

  describe("a connection", () => {
    it("takes its private queues along when it closes", async () => {
      const other = await world.connect("VU");
      await other.declare([{ name: "reply.vu.1", bindings: ["reply.vu.1"], kind: "private" }]);
      await broker.publish(message("reply.vu.1"));
      await other.close();
      await expect
        .poll(() =>
          broker.publish(message("reply.vu.1")).then(
            () => "taken",
            (error) => error.label,
          ),
        )
        .toBe("UNROUTABLE");
    });

    it("refuses a message over the limit", async () => {
      await broker.declare([work("q")]);
      const sent = broker.publish(message("q", "huge", { body: new Uint8Array(70 * 1_048_576) }));
      await expect(sent).rejects.toMatchObject({ label: "BODY_TOO_LARGE" });
    });

    it("says how it is, and that it is closed", async () => {
      const notices: string[] = [];
      broker.onStatus(({ kind }) => notices.push(kind));
      expect(broker.status().kind).toBe("connected");
      await broker.close();
      await broker.close();
      expect(broker.status().kind).toBe("closed");
      expect(notices).toEqual(["closed"]);
      await expect(broker.publish(message("q"))).rejects.toMatchObject({ label: "BROKER_UNAVAILABLE" });
    });
  });
}
