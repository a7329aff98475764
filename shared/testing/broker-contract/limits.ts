import { afterEach, describe, expect, it } from "vitest";
import type { QueueLimits } from "#ports/broker";
import { type BrokerWorld, collector, message, work } from "./kit.ts";

export type OpenLimited = (queueLimits: Partial<QueueLimits>) => Promise<BrokerWorld>;

/** A broker may take a few more than a queue's limit before it refuses: so many are more than enough. */
const attempts = 30;

export function limitsContract(openWorld: OpenLimited): void {
  describe("a full queue", () => {
    let world: BrokerWorld;
    afterEach(() => world.close());

    const opened = async (queueLimits: Partial<QueueLimits>) => {
      world = await openWorld(queueLimits);
      const broker = await world.connect("UVA");
      await broker.declare([work("q"), work("a", "a", "both"), work("b", "b", "both")]);
      const codeOf = (id: string, key = "q", body: Uint8Array = new Uint8Array()) =>
        broker.publish(message(key, id, { body })).then(
          () => "OK",
          ({ label }) => String(label),
        );
      const fill = async (body?: Uint8Array) => {
        const taken: string[] = [];
        for (let i = 0; i < attempts; i++) {
          if ((await codeOf(`m${i}`, "q", body)) === "OK") taken.push(`m${i}`);
        }
        return taken;
      };
      return { broker, codeOf, fill };
    };

    it("refuses by name what is one too many, keeps what it took, and takes more when there is room", async () => {
      const { broker, codeOf, fill } = await opened({ messagesMax: 3 });
      const taken = await fill();
      expect(taken.slice(0, 3)).toEqual(["m0", "m1", "m2"]);
      expect(taken.length).toBeLessThan(attempts);
      expect(await codeOf("late")).toBe("OVERLOADED");
      const { ids, handler } = collector();
      await broker.consume("q", { prefetch: 10 }, handler);
      await expect.poll(() => codeOf("after")).toBe("OK");
      await expect.poll(ids).toEqual([...taken, "after"]);
    });

    it("counts bytes too", async () => {
      const { codeOf, fill } = await opened({ bytesMax: 100_000 });
      const body = new Uint8Array(40_000);
      const taken = await fill(body);
      expect(taken.slice(0, 2)).toEqual(["m0", "m1"]);
      expect(taken.length).toBeLessThan(attempts);
      expect(await codeOf("late", "q", body)).toBe("OVERLOADED");
    });

    it("keeps no other queue from taking messages", async () => {
      const { codeOf, fill } = await opened({ messagesMax: 3 });
      await fill();
      expect(await codeOf("elsewhere", "a")).toBe("OK");
    });

    it("is not the private queue of a consumer: what is set for work does not hold for replies", async () => {
      const { broker, codeOf } = await opened({ messagesMax: 1 });
      await broker.declare([{ name: "reply.uva.1", bindings: ["reply.uva.1"], kind: "private" }]);
      for (let i = 0; i < attempts; i++) expect(await codeOf(`m${i}`, "reply.uva.1")).toBe("OK");
    });
  });
}
