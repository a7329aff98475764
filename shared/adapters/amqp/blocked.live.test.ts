/** A broker that takes no messages for a while, and one that won't have some of them: RabbitMQ's own alarms and permissions. */
import { connect } from "amqplib";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import type { Broker, BrokerStatus } from "#ports/broker";
import { collector, message, work } from "#testing/broker-contract/kit";
import { type RabbitMq, rabbitmqServer, startRabbitmq } from "#testing/rabbitmq";
import { type AmqpOptions, connectAmqp } from "./broker.ts";

const log = createMemoryLog();

interface Alarm {
  readonly raise: readonly string[];
  readonly end: readonly string[];
}

const alarms: Record<string, Alarm> = {
  memory: {
    raise: ["set_vm_memory_high_watermark", "absolute", "1"],
    end: ["set_vm_memory_high_watermark", "0.4"],
  },
  disk: { raise: ["set_disk_free_limit", "1000000GB"], end: ["set_disk_free_limit", "50MB"] },
};

describe.skipIf(rabbitmqServer() === undefined)("a RabbitMQ", () => {
  let rabbitmq: RabbitMq;
  const cleanup: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    rabbitmq = await startRabbitmq();
  }, 90_000);
  afterEach(async () => {
    for (const clean of cleanup.splice(0).reverse()) await clean();
  }, 60_000);
  afterAll(() => rabbitmq.stop(), 60_000);

  async function opened(more: Partial<AmqpOptions> = {}): Promise<Broker> {
    const broker = await connectAmqp({ url: rabbitmq.url, party: "UVA", log, ...more });
    cleanup.push(() => broker.close());
    return broker;
  }

  async function removeQueue(name: string): Promise<void> {
    const connection = await connect(rabbitmq.url);
    await (await connection.createChannel()).deleteQueue(name);
    await connection.close();
  }

  const outcomeOf = (work: Promise<void>) =>
    work.then(
      () => "OK",
      ({ label, message }) => `${label}: ${message}`,
    );

  async function raise({ raise, end }: Alarm): Promise<() => Promise<unknown>> {
    await rabbitmq.control(...raise);
    const over = () => rabbitmq.control(...end);
    cleanup.push(over);
    return over;
  }

  describe.each(Object.entries(alarms))("with a %s alarm", (name, alarm) => {
    it("is said to be blocked, ends a publish by name with the reason, and takes the next one when it is over", async () => {
      const broker = await opened({ publishConfirmMs: 1_500, publishWaitMs: 1_500 });
      const statuses: BrokerStatus[] = [];
      broker.onStatus((status) => statuses.push(status));
      await broker.declare([work(`${name}-1`)]);
      cleanup.push(() => removeQueue(`${name}-1`));
      const end = await raise(alarm);
      const refused = new RegExp(`^BROKER_UNAVAILABLE: .*short of memory or disk.*low on ${name}`);
      // The broker says so to who sends something; whoever comes next waits for its end, not for a confirm.
      expect(await outcomeOf(broker.publish(message(`${name}-1`, "unconfirmed")))).toMatch(refused);
      expect(await outcomeOf(broker.publish(message(`${name}-1`, "not-sent")))).toMatch(refused);
      expect(broker.status()).toEqual({ kind: "blocked", reason: `low on ${name}` });
      await end();
      await expect.poll(() => broker.status(), { timeout: 20_000 }).toEqual({ kind: "connected" });
      expect(await outcomeOf(broker.publish(message(`${name}-1`, "after")))).toBe("OK");
      expect(statuses.map(({ kind }) => kind)).toEqual(["blocked", "connected"]);
    }, 60_000);

    it("confirms late what it was sent meanwhile, and nothing confirmed before, meanwhile or after is lost", async () => {
      const queue = `${name}-2`;
      const [publisher, reader] = [await opened({ publishConfirmMs: 60_000 }), await opened()];
      await publisher.declare([work(queue)]);
      cleanup.push(() => removeQueue(queue));
      const confirmed: string[] = [];
      const send = (id: string) => publisher.publish(message(queue, id)).then(() => void confirmed.push(id));
      await Promise.all(Array.from({ length: 20 }, (_, i) => send(`before-${i}`)));
      const end = await raise(alarm);
      const meanwhile = Promise.all(Array.from({ length: 20 }, (_, i) => send(`meanwhile-${i}`)));
      await expect.poll(() => publisher.status().kind, { timeout: 20_000 }).toBe("blocked");
      expect(confirmed).toHaveLength(20);
      // One that only takes is not held up: it gets them all, one by one, while nobody can publish.
      const { ids, handler } = collector();
      await reader.consume(queue, { prefetch: 1 }, handler);
      await expect.poll(ids).toHaveLength(20);
      expect(reader.status().kind).toBe("connected");
      await end();
      await meanwhile;
      await send("after");
      await expect.poll(() => confirmed.filter((id) => !ids().includes(id))).toEqual([]);
      expect(new Set(ids()).size).toBe(ids().length);
    }, 60_000);

    it("goes on hearing whom it blocked: acknowledgements, new consumers, declarations and the reading of transfers", async () => {
      const queue = `${name}-3`;
      const broker = await opened({ publishConfirmMs: 60_000, publishWaitMs: 60_000 });
      await broker.declare([work(queue), work(`${queue}-out`)]);
      cleanup.push(
        () => removeQueue(queue),
        () => removeQueue(`${queue}-out`),
      );
      for (let i = 0; i < 40; i++) await broker.publish(message(queue, `m${i}`));
      const table = await broker.transfers.open({ from: "UVA", to: "UVA", expiresInMs: 60_000 });
      for (let i = 0; i < 20; i++) await table.write(new Uint8Array([i]));
      await table.end();
      const end = await raise(alarm);
      const held = broker.publish(message(`${queue}-out`, "held"));
      await expect.poll(() => broker.status().kind, { timeout: 20_000 }).toBe("blocked");
      const { ids, handler } = collector();
      await broker.consume(queue, { prefetch: 1 }, handler);
      // One at a time: each is there because the one before it was acknowledged.
      await expect.poll(ids, { timeout: 20_000 }).toHaveLength(40);
      const chunks: number[] = [];
      for await (const [byte] of broker.transfers.read(table.name, new AbortController().signal))
        chunks.push(byte ?? -1);
      expect(chunks).toEqual(Array.from({ length: 20 }, (_, i) => i));
      await broker.transfers.renew(table.name);
      await broker.transfers.drop(table.name);
      await broker.declare([work(`${queue}-new`)]);
      cleanup.push(() => removeQueue(`${queue}-new`));
      expect(broker.status().kind).toBe("blocked");
      await end();
      await held;
      // Nothing that was acknowledged meanwhile is there again.
      expect((await rabbitmq.queues()).find(({ name }) => name === queue)).toMatchObject({
        ready: 0,
        unacknowledged: 0,
      });
      expect(new Set(ids()).size).toBe(40);
    }, 60_000);

    it("can be left: close does not wait for it", async () => {
      const broker = await opened({ publishConfirmMs: 60_000 });
      await broker.declare([work(`${name}-4`)]);
      cleanup.push(() => removeQueue(`${name}-4`));
      await raise(alarm);
      const held = outcomeOf(broker.publish(message(`${name}-4`, "held")));
      await expect.poll(() => broker.status().kind, { timeout: 20_000 }).toBe("blocked");
      await broker.close();
      expect(broker.status().kind).toBe("closed");
      expect(await held).toMatch(/^BROKER_UNAVAILABLE: /);
    }, 60_000);
  });

  describe("whose user may send only some keys", () => {
    beforeAll(async () => {
      await rabbitmq.control("add_user", "narrow", "narrow");
      await rabbitmq.control("set_permissions", "narrow", ".*", ".*", ".*");
      await rabbitmq.control("set_topic_permissions", "narrow", "dynamos.steps", "^uva\\.", ".*");
    }, 60_000);

    it("refuses the others by name, confirms those of the same moment, and its consumers and connection go on", async () => {
      const wide = await opened();
      await wide.declare([work("uva.a"), work("vu.b"), work("vu.c")]);
      const url = rabbitmq.url.replace("test:test", "narrow:narrow");
      const broker = await opened({ url });
      const statuses: string[] = [];
      broker.onStatus(({ kind }) => statuses.push(kind));
      const { ids, handler } = collector();
      await broker.consume("uva.a", { prefetch: 10 }, handler);
      const allowed = Array.from({ length: 30 }, (_, i) => `allowed-${i}`);
      const sent = await Promise.all([
        ...allowed.slice(0, 15).map((id) => outcomeOf(broker.publish(message("uva.a", id)))),
        outcomeOf(broker.publish(message("vu.b", "forbidden"))),
        ...allowed.slice(15).map((id) => outcomeOf(broker.publish(message("uva.a", id)))),
        outcomeOf(broker.publish(message("vu.c", "forbidden-too"))),
      ]);
      expect(sent.filter((outcome) => outcome !== "OK")).toEqual([
        "DENIED: this broker user may not send to vu.b",
        "DENIED: this broker user may not send to vu.c",
      ]);
      await expect.poll(() => allowed.filter((id) => !ids().includes(id))).toEqual([]);
      expect(await outcomeOf(broker.publish(message("uva.a", "later")))).toBe("OK");
      await expect.poll(() => ids().at(-1)).toBe("later");
      expect(statuses).toEqual([]);
    }, 60_000);
  });
});
