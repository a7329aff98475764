import { describe, expect, it } from "vitest";
import { systemClock } from "#adapters/system/clock";
import type { Broker, QueueLimits } from "#ports/broker";
import { brokerContract } from "#testing/broker-contract";
import { limitsContract } from "#testing/broker-contract/limits";
import { takeDeadLetters } from "#testing/take-dead-letters";
import { createMemoryExchange } from "./broker.ts";
import { createMemoryClock } from "./clock.ts";

describe("the in-memory broker", () => {
  const openWorld = async (queueLimits: Partial<QueueLimits> = {}) => {
    const hub = createMemoryExchange(systemClock, queueLimits);
    const open: Broker[] = [];
    return {
      connect: async (party: string) => {
        const broker = hub.connect({ party });
        open.push(broker);
        return broker;
      },
      close: async () => {
        await Promise.all(open.map((broker) => broker.close()));
      },
    };
  };
  brokerContract(openWorld);
  limitsContract(openWorld);

  const message = (id: string, more: { expiresInMs?: number } = {}) => ({
    id,
    routingKey: "q",
    type: "envelope" as const,
    queryId: "q1",
    body: new Uint8Array(),
    traceparent: "",
    ...more,
  });

  it("has no timer left for a message that is done, nor for any once nobody is connected", async () => {
    const clock = createMemoryClock();
    const broker = createMemoryExchange(clock).connect({ party: "UVA" });
    await broker.declare([{ name: "q", bindings: ["q"], kind: "work" }]);
    await broker.publish(message("done", { expiresInMs: 30_000 }));
    const seen: string[] = [];
    const consumer = await broker.consume("q", { prefetch: 1 }, async ({ id }) => {
      seen.push(id);
      return id === "again" ? { kind: "retry", afterMs: 60_000, reason: "x" } : { kind: "done" };
    });
    await expect.poll(() => seen).toEqual(["done"]);
    expect(clock.pending).toBe(0);
    await broker.publish(message("again"));
    await expect.poll(() => clock.pending).toBe(1);
    await consumer.cancel();
    await broker.publish(message("waits", { expiresInMs: 30_000 }));
    expect(clock.pending).toBe(2);
    await broker.close();
    expect(clock.pending).toBe(0);
  });

  it("has no timer left for a transfer once nobody is connected, and keeps it for who connects again", async () => {
    const clock = createMemoryClock();
    const exchange = createMemoryExchange(clock);
    const first = exchange.connect({ party: "UVA" });
    const { name } = await first.transfers.open({ from: "UVA", to: "exchange", expiresInMs: 600_000 });
    expect(clock.pending).toBe(1);
    await first.close();
    expect(clock.pending).toBe(0);
    const second = exchange.connect({ party: "UVA" });
    expect(clock.pending).toBe(1);
    await second.transfers.drop(name);
    expect(clock.pending).toBe(0);
    await second.close();
  });

  it("keeps what waits, and its times, while nobody is connected", async () => {
    const clock = createMemoryClock();
    const exchange = createMemoryExchange(clock);
    const first = exchange.connect({ party: "UVA" });
    await first.declare([{ name: "q", bindings: ["q"], kind: "work" }]);
    await first.publish(message("kept"));
    await first.publish(message("late", { expiresInMs: 1_000 }));
    await first.close();
    clock.turn(2_000);
    const second = exchange.connect({ party: "UVA" });
    clock.turn(0);
    expect(await takeDeadLetters(second, 10)).toMatchObject([{ id: "late" }]);
    const seen: string[] = [];
    await second.consume("q", { prefetch: 5 }, async ({ id }) => {
      seen.push(id);
      return { kind: "done" };
    });
    await expect.poll(() => seen).toEqual(["kept"]);
    await second.close();
  });
});
