import { describe, expect, it } from "vitest";
import { limits } from "#domain/limits";
import type { Disposition } from "#ports/broker";
import { takeDeadLetters } from "#testing/take-dead-letters";
import { collector, message, type Opened, work } from "./kit.ts";

export function connectionContract(open: () => Opened): void {
  describe("a connection", () => {
    it("takes its private queues along when it closes", async () => {
      const { world, broker } = open();
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

    it("may close while a handler is at work, whose message then goes to another", async () => {
      const { world, broker } = open();
      const other = await world.connect("VU");
      await broker.declare([work("q")]);
      let finish: () => void = () => {};
      const first = collector(() => new Promise<Disposition>((resolve) => (finish = () => resolve({ kind: "done" }))));
      await other.consume("q", { prefetch: 1 }, first.handler);
      await broker.publish(message("q"));
      await expect.poll(first.ids).toEqual(["m1"]);
      const closing = other.close();
      finish();
      await closing;
      // Either its "done" was still heard or the message comes again: never both lost and forgotten, never a crash.
      const second = collector();
      await broker.consume("q", { prefetch: 1 }, second.handler);
      await broker.publish(message("q", "m2"));
      await expect.poll(() => second.ids().at(-1)).toBe("m2");
      expect(second.seen.filter(({ id }) => id === "m1").every(({ redelivered }) => redelivered)).toBe(true);
    });

    it("delivers nothing more once it is closed", async () => {
      const { world, broker } = open();
      const other = await world.connect("VU");
      const { seen, handler } = collector();
      await broker.declare([work("q")]);
      await other.consume("q", { prefetch: 1 }, handler);
      await other.close();
      await broker.publish(message("q"));
      const kept = collector();
      await broker.consume("q", { prefetch: 1 }, kept.handler);
      await expect.poll(kept.ids).toEqual(["m1"]);
      expect(seen).toEqual([]);
    });

    it("refuses everything once it is closed", async () => {
      const { broker } = open();
      await broker.close();
      const gone = { label: "BROKER_UNAVAILABLE" };
      await expect(broker.declare([work("q")])).rejects.toMatchObject(gone);
      await expect(broker.consume("q", { prefetch: 1 }, collector().handler)).rejects.toMatchObject(gone);
      await expect(takeDeadLetters(broker, 1)).rejects.toMatchObject(gone);
    });

    it("stops its notices when asked to", async () => {
      const { broker } = open();
      const notices: string[] = [];
      broker.onStatus(({ kind }) => notices.push(kind))();
      await broker.close();
      expect(notices).toEqual([]);
    });

    it("refuses a message over the limit", async () => {
      const { broker } = open();
      await broker.declare([work("q")]);
      const sent = broker.publish(message("q", "huge", { body: new Uint8Array(limits.messageBytesMax + 1) }));
      await expect(sent).rejects.toMatchObject({ label: "BODY_TOO_LARGE" });
    });

    it("says how it is, and that it is closed", async () => {
      const { broker } = open();
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
