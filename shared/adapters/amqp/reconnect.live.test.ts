/** Connections that nobody closes, rights that are taken away, and a broker that is gone for a while: everything else goes on. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { collector, message, work } from "#testing/broker-contract/kit";
import { type RabbitMq, rabbitmqServer, startRabbitmq } from "#testing/rabbitmq";
import { openTcpProxy } from "#testing/tcp-proxy";
import { type AmqpOptions, connectAmqp } from "./broker.ts";

const log = createMemoryLog();
const recoveredIn = { timeout: 20_000 };

describe.skipIf(rabbitmqServer() === undefined)("a party's connection", () => {
  let rabbitmq: RabbitMq;
  const cleanup: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    rabbitmq = await startRabbitmq();
    await rabbitmq.control("add_user", "narrow", "narrow");
  }, 90_000);
  afterEach(async () => {
    for (const clean of cleanup.splice(0).reverse()) await clean();
  }, 60_000);
  afterAll(() => rabbitmq.stop(), 60_000);

  async function throughProxy(user: string, more: Partial<AmqpOptions> = {}) {
    const proxy = await openTcpProxy(rabbitmq.port);
    cleanup.push(() => proxy.close());
    const url = `amqp://${user}:${user}@127.0.0.1:${proxy.port}?heartbeat=1`;
    const broker = await connectAmqp({ url, party: "UVA", log, ...more });
    cleanup.push(() => broker.close());
    return { broker, proxy };
  }

  it("that is half open is given up after missed heartbeats, and its consumer goes on with what it had in hand", async () => {
    const { broker, proxy } = await throughProxy("test", { publishWaitMs: 30_000, publishConfirmMs: 30_000 });
    let release: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { seen, handler } = collector(async ({ redelivered }) => {
      if (!redelivered) await gate;
      return { kind: "done" };
    });
    await broker.declare([work("half-open")]);
    await broker.consume("half-open", { prefetch: 1 }, handler);
    await broker.publish(message("half-open", "held"));
    await expect.poll(() => seen.length).toBe(1);
    proxy.silence();
    const meanwhile = broker.publish(message("half-open", "meanwhile"));
    // Neither side closes it: only the heartbeats tell.
    await expect.poll(() => broker.status().kind, recoveredIn).toBe("reconnecting");
    proxy.cut();
    proxy.heal();
    await meanwhile;
    await expect
      .poll(() => seen.filter(({ redelivered }) => redelivered).map(({ id }) => id), recoveredIn)
      .toContain("held");
    release();
    await expect.poll(() => seen.map(({ id }) => id), recoveredIn).toContain("meanwhile");
    expect(broker.status()).toEqual({ kind: "connected" });
  }, 90_000);

  it("that the broker closes by force comes back, and loses nothing that was confirmed", async () => {
    const { broker } = await throughProxy("test");
    const { ids, handler } = collector();
    await broker.declare([work("forced")]);
    await broker.consume("forced", { prefetch: 10 }, handler);
    const confirmed: string[] = [];
    const send = (id: string) => broker.publish(message("forced", id)).then(() => void confirmed.push(id));
    await Promise.all(Array.from({ length: 50 }, (_, i) => send(`before-${i}`)));
    const closing = rabbitmq.control("close_all_connections", "by the test");
    const sent = Promise.allSettled(Array.from({ length: 50 }, (_, i) => send(`meanwhile-${i}`)));
    await Promise.all([closing, sent]);
    await expect.poll(() => send("after").then(() => broker.status().kind), recoveredIn).toBe("connected");
    await expect.poll(() => confirmed.filter((id) => !ids().includes(id)), recoveredIn).toEqual([]);
    expect(confirmed.length).toBeGreaterThan(50);
  }, 90_000);

  it("whose user may not declare or read a queue says so by name, and is still of use", async () => {
    await rabbitmq.control("set_permissions", "narrow", "^(dynamos|uva)\\.", ".*", "^(dynamos|uva)\\.");
    const { broker } = await throughProxy("narrow");
    const statuses: string[] = [];
    broker.onStatus(({ kind }) => statuses.push(kind));
    await expect(broker.declare([work("vu.secret")])).rejects.toMatchObject({
      label: "DENIED",
      message: expect.stringMatching(/^this broker user may not use the queue vu\.secret$/),
    });
    const other = await connectAmqp({ url: rabbitmq.url, party: "VU", log });
    cleanup.push(() => other.close());
    await other.declare([work("vu.secret")]);
    await expect(broker.consume("vu.secret", { prefetch: 1 }, collector().handler)).rejects.toMatchObject({
      label: "DENIED",
    });
    await expect(broker.consume("uva.none", { prefetch: 1 }, collector().handler)).rejects.toMatchObject({
      label: "UNROUTABLE",
    });
    const { ids, handler } = collector();
    await broker.declare([work("uva.own")]);
    await broker.consume("uva.own", { prefetch: 1 }, handler);
    await broker.publish(message("uva.own", "still"));
    await expect.poll(ids).toEqual(["still"]);
    expect(statuses).toEqual([]);
  }, 60_000);

  it("comes back without the queue that its user may not read any more, and takes that up when it may", async () => {
    await rabbitmq.control("set_permissions", "narrow", ".*", ".*", ".*");
    const { broker, proxy } = await throughProxy("narrow");
    const [kept, taken] = [collector(), collector()];
    await broker.declare([work("uva.kept"), work("uva.taken")]);
    // The refused one first: it must not keep the others from being taken up.
    await broker.consume("uva.taken", { prefetch: 1 }, taken.handler);
    await broker.consume("uva.kept", { prefetch: 1 }, kept.handler);
    await rabbitmq.control("set_permissions", "narrow", ".*", ".*", "^(?!uva\\.taken$).*");
    proxy.cut();
    await expect.poll(() => broker.status().kind).toBe("reconnecting");
    proxy.heal();
    await broker.publish(message("uva.taken", "waits"));
    await broker.publish(message("uva.kept", "arrives"));
    await expect.poll(kept.ids, recoveredIn).toEqual(["arrives"]);
    expect(taken.ids()).toEqual([]);
    await rabbitmq.control("set_permissions", "narrow", ".*", ".*", ".*");
    await expect.poll(taken.ids, recoveredIn).toEqual(["waits"]);
    expect(broker.status()).toEqual({ kind: "connected" });
  }, 90_000);
});
