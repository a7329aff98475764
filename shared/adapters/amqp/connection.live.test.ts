import { randomUUID } from "node:crypto";
import { connect } from "amqplib";
import { afterEach, describe, expect, inject, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import type { Queue } from "#ports/broker";
import { message } from "#testing/broker-contract/kit";
import { rabbitmqServer, startRabbitmq } from "#testing/rabbitmq";
import { openTcpProxy } from "#testing/tcp-proxy";
import { type AmqpOptions, connectAmqp } from "./broker.ts";
import { removeAll } from "./remove-all.ts";

const url = inject("amqpUrl");
const parties = ["UVA", "VU", "SURF"];
const log = createMemoryLog();
const q: Queue = { name: "q", bindings: ["q"], kind: "work" };
const done = { kind: "done" } as const;

describe.skipIf(url === "")("a connection to RabbitMQ", () => {
  const cleanup: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const step of cleanup.splice(0).reverse()) await step();
  });

  async function throughProxy(waits: Pick<AmqpOptions, "publishWaitMs" | "publishConfirmMs"> = {}) {
    const prefix = `t${randomUUID()}.`;
    cleanup.push(() => removeAll({ url, prefix, queues: ["q"], parties }));
    const proxy = await openTcpProxy(Number(new URL(url).port));
    cleanup.push(() => proxy.close());
    const proxied = new URL(url);
    proxied.port = String(proxy.port);
    const broker = await connectAmqp({ url: proxied.toString(), party: "UVA", log, prefix, ...waits });
    cleanup.push(() => broker.close());
    return { broker, proxy, prefix };
  }

  it("that is cut comes back with its queues and consumers, and a publish made meanwhile arrives", async () => {
    const { broker, proxy } = await throughProxy();
    const notices: string[] = [];
    broker.onStatus(({ kind }) => notices.push(kind));
    const seen = new Set<string>();
    const note = async ({ id }: { id: string }) => {
      seen.add(id);
      return done;
    };
    await broker.declare([q, { name: "mine", bindings: ["mine"], kind: "private" }]);
    await broker.consume("q", { prefetch: 5 }, note);
    await broker.consume("mine", { prefetch: 5 }, note);
    await broker.publish(message("q", "before"));
    proxy.cut();
    await expect.poll(() => broker.status().kind).toBe("reconnecting");
    const meanwhile = broker.publish(message("q", "meanwhile"));
    proxy.heal();
    await meanwhile;
    await broker.publish(message("mine", "private"));
    await expect.poll(() => [...seen].sort()).toEqual(["before", "meanwhile", "private"]);
    expect(notices).toEqual(["reconnecting", "connected"]);
  });

  it("that is cut again and again loses nothing that was confirmed", async () => {
    const { broker, proxy } = await throughProxy();
    const seen = new Set<string>();
    await broker.declare([q]);
    await broker.consume("q", { prefetch: 10 }, async ({ id }) => {
      seen.add(id);
      return done;
    });
    const confirmed: string[] = [];
    const failed: unknown[] = [];
    for (let round = 0; round < 5; round++) {
      const sent = Array.from({ length: 50 }, (_, i) =>
        broker.publish(message("q", `${round}/${i}`)).then(
          () => void confirmed.push(`${round}/${i}`),
          (error) => void failed.push(error.label),
        ),
      );
      proxy.cut();
      proxy.heal();
      await Promise.all(sent);
    }
    expect(confirmed.length + failed.length).toBe(250);
    expect(failed.every((label) => label === "BROKER_UNAVAILABLE")).toBe(true);
    expect(confirmed.length).toBeGreaterThan(0);
    await expect.poll(() => confirmed.filter((id) => !seen.has(id)), { timeout: 10_000 }).toEqual([]);
  });

  it("that is cut delivers again what was in hand", async () => {
    const { broker, proxy } = await throughProxy();
    const marks: boolean[] = [];
    let release: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    await broker.declare([q]);
    await broker.consume("q", { prefetch: 1 }, async ({ redelivered }) => {
      marks.push(redelivered);
      if (!redelivered) await gate;
      return done;
    });
    await broker.publish(message("q", "held"));
    await expect.poll(() => marks.length).toBe(1);
    proxy.cut();
    proxy.heal();
    await expect.poll(() => marks, { timeout: 10_000 }).toEqual([false, true]);
    release();
  });

  it("that is cut leaves a cancelled consumer cancelled", async () => {
    const { broker, proxy } = await throughProxy();
    const [first, second]: string[][] = [[], []];
    await broker.declare([q]);
    const consumer = await broker.consume("q", { prefetch: 1 }, async ({ id }) => {
      first?.push(id);
      return done;
    });
    proxy.cut();
    await expect.poll(() => broker.status().kind).toBe("reconnecting");
    await consumer.cancel();
    proxy.heal();
    await expect.poll(() => broker.status().kind).toBe("connected");
    await broker.consume("q", { prefetch: 1 }, async ({ id }) => {
      second?.push(id);
      return done;
    });
    for (const id of ["a", "b", "c", "d"]) await broker.publish(message("q", id));
    await expect.poll(() => second).toEqual(["a", "b", "c", "d"]);
    expect(first).toEqual([]);
  });

  it("that is cut comes back, although the broker once refused a queue of it", async () => {
    const { broker, proxy, prefix } = await throughProxy();
    const other = await connect(url);
    await (await other.createChannel()).assertQueue(`${prefix}q`, { durable: true });
    await other.close();
    await expect(broker.declare([q])).rejects.toThrow("exists with other arguments");
    proxy.cut();
    await expect.poll(() => broker.status().kind).toBe("reconnecting");
    proxy.heal();
    await expect.poll(() => broker.status().kind).toBe("connected");
  });

  it("that stays away ends a publish by name, and can be closed", async () => {
    const { broker, proxy } = await throughProxy({ publishWaitMs: 200 });
    proxy.cut();
    await expect(broker.publish(message("q", "lost"))).rejects.toMatchObject({ label: "BROKER_UNAVAILABLE" });
    await broker.close();
    expect(broker.status().kind).toBe("closed");
  });

  it("that says nothing any more ends a publish by name, and can be closed", async () => {
    const { broker, proxy } = await throughProxy({ publishConfirmMs: 200 });
    await broker.declare([q]);
    proxy.silence();
    await expect(broker.publish(message("q", "unheard"))).rejects.toMatchObject({
      label: "BROKER_UNAVAILABLE",
      message: "the broker did not confirm in time",
    });
    await broker.close();
    expect(broker.status().kind).toBe("closed");
  });

  // Of its own: the broker of the test run may be another's to restart.
  it.skipIf(rabbitmqServer() === undefined)(
    "goes on after the broker was started again, with what lay in its queues",
    async () => {
      const rabbitmq = await startRabbitmq();
      cleanup.push(() => rabbitmq.stop());
      const broker = await connectAmqp({ url: rabbitmq.url, party: "UVA", log, publishWaitMs: 60_000 });
      cleanup.push(() => broker.close());
      await broker.declare([q]);
      await broker.publish(message("q", "before"));
      const restarted = rabbitmq.restart();
      await expect.poll(() => broker.status().kind, { timeout: 20_000 }).toBe("reconnecting");
      await broker.publish(message("q", "meanwhile"));
      await restarted;
      const seen: string[] = [];
      await broker.consume("q", { prefetch: 1 }, async ({ id }) => {
        seen.push(id);
        return done;
      });
      await expect.poll(() => seen).toEqual(["before", "meanwhile"]);
    },
    120_000,
  );
});
