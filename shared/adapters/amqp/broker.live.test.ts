import { randomUUID } from "node:crypto";
import { connect } from "amqplib";
import { afterEach, describe, expect, inject, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import type { Broker } from "#ports/broker";
import { brokerContract } from "#testing/broker-contract";
import { openTcpProxy } from "#testing/tcp-proxy";
import { connectAmqp } from "./broker.ts";
import { removeAll } from "./remove-all.ts";

const url = inject("amqpUrl");
const log = createMemoryLog();

describe.skipIf(url === "")("RabbitMQ", () => {
  brokerContract(async () => {
    const prefix = `t${randomUUID()}.`;
    const open: Broker[] = [];
    return {
      connect: async (party) => {
        const broker = await connectAmqp({ url, party, log, prefix });
        open.push(broker);
        return broker;
      },
      close: async () => {
        await Promise.all(open.map((broker) => broker.close()));
        await removeAll(url, prefix, ["q", "a", "b"]);
      },
    };
  });

  describe("a connection that is cut", () => {
    const cleanup: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const step of cleanup.splice(0).reverse()) await step();
    });

    async function throughProxy() {
      const prefix = `t${randomUUID()}.`;
      cleanup.push(() => removeAll(url, prefix, ["q"]));
      const proxy = await openTcpProxy(Number(new URL(url).port));
      cleanup.push(() => proxy.close());
      const proxied = new URL(url);
      proxied.port = String(proxy.port);
      const broker = await connectAmqp({ url: proxied.toString(), party: "UVA", log, prefix });
      cleanup.push(() => broker.close());
      return { broker, proxy };
    }

    const message = (id: string) => ({
      id,
      routingKey: "q",
      type: "envelope" as const,
      queryId: "q1",
      body: new TextEncoder().encode(id),
      traceparent: "",
    });

    it("comes back with its queues and consumers, and a publish made meanwhile arrives", async () => {
      const { broker, proxy } = await throughProxy();
      const seen = new Set<string>();
      await broker.declare([
        { name: "q", bindings: ["q"], kind: "work" },
        { name: "mine", bindings: ["mine"], kind: "private" },
      ]);
      await broker.consume("q", { prefetch: 5 }, async ({ id }) => {
        seen.add(id);
        return { kind: "done" };
      });
      await broker.publish(message("before"));
      proxy.cut();
      await expect.poll(() => broker.status().kind).toBe("reconnecting");
      const meanwhile = broker.publish(message("meanwhile"));
      proxy.heal();
      await meanwhile;
      await broker.publish({ ...message("private"), routingKey: "mine" });
      await expect.poll(() => [...seen].sort()).toEqual(["before", "meanwhile"]);
      expect(broker.status().kind).toBe("connected");
    });

    it("delivers again what was in hand", async () => {
      const { broker, proxy } = await throughProxy();
      const tries: boolean[] = [];
      await broker.declare([{ name: "q", bindings: ["q"], kind: "work" }]);
      await broker.consume("q", { prefetch: 1 }, async ({ redelivered }) => {
        tries.push(redelivered);
        if (!redelivered) await new Promise((resume) => setTimeout(resume, 200));
        return { kind: "done" };
      });
      await broker.publish(message("held"));
      await expect.poll(() => tries.length).toBe(1);
      proxy.cut();
      proxy.heal();
      await expect.poll(() => tries, { timeout: 10_000 }).toEqual([false, true]);
    });

    it("that stays away ends a publish by name", async () => {
      const prefix = `t${randomUUID()}.`;
      cleanup.push(() => removeAll(url, prefix, []));
      const proxy = await openTcpProxy(Number(new URL(url).port));
      cleanup.push(() => proxy.close());
      const proxied = new URL(url);
      proxied.port = String(proxy.port);
      const broker = await connectAmqp({ url: proxied.toString(), party: "UVA", log, prefix, publishWaitMs: 200 });
      cleanup.push(() => broker.close());
      proxy.cut();
      await expect(broker.publish(message("lost"))).rejects.toMatchObject({ label: "BROKER_UNAVAILABLE" });
    });
  });

  it("names a queue that is there with other arguments, and what to do", async () => {
    const prefix = `t${randomUUID()}.`;
    const connection = await connect(url);
    await (await connection.createChannel()).assertQueue(`${prefix}q`, { durable: true });
    await connection.close();
    const broker = await connectAmqp({ url, party: "UVA", log, prefix });
    const declared = broker.declare([{ name: "q", bindings: ["q"], kind: "work" }]);
    await expect(declared).rejects.toThrow(`the queue ${prefix}q exists with other arguments: delete it`);
    await broker.close();
    await removeAll(url, prefix, ["q"]);
  });

  it("says that a broker can't be reached", async () => {
    const connecting = connectAmqp({ url: "amqp://test:wrong@127.0.0.1:1", party: "UVA", log });
    await expect(connecting).rejects.toMatchObject({ label: "BROKER_UNAVAILABLE" });
  });
});
