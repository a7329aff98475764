/** Transfers over connections and brokers that go away in the middle: every chunk, once, in its order, or an error by name. */
import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, inject, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import type { Broker } from "#ports/broker";
import { rabbitmqServer, startRabbitmq } from "#testing/rabbitmq";
import { openTcpProxy, type TcpProxy } from "#testing/tcp-proxy";
import { connectAmqp } from "./broker.ts";
import { removeAll } from "./remove-all.ts";

const url = inject("amqpUrl");
const log = createMemoryLog();
const target = { from: "UVA", to: "SURF", expiresInMs: 120_000 };
const chunkBytes = 10_000;
const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanup.splice(0).reverse()) await clean();
}, 60_000);

/** Says its place in its first bytes and is filled with it. */
function chunk(index: number): Uint8Array {
  const bytes = Buffer.alloc(chunkBytes, index % 251);
  bytes.writeUInt32BE(index);
  return bytes;
}

function placeOf(bytes: Uint8Array): number {
  const index = Buffer.from(bytes).readUInt32BE();
  expect(Buffer.compare(bytes, chunk(index))).toBe(0);
  return index;
}

async function placesIn(broker: Broker, name: string): Promise<number[]> {
  const places: number[] = [];
  for await (const bytes of broker.transfers.read(name, new AbortController().signal)) places.push(placeOf(bytes));
  return places;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

async function written(broker: Broker, count: number): Promise<string> {
  const writer = await broker.transfers.open(target);
  cleanup.push(() => broker.transfers.drop(writer.name).catch(() => {}));
  for (const index of upTo(count)) await writer.write(chunk(index));
  await writer.end();
  return writer.name;
}

describe.skipIf(url === "")("a transfer whose connection is cut", () => {
  async function throughProxy(): Promise<{ broker: Broker; other: Broker; proxy: TcpProxy }> {
    const prefix = `t${randomUUID()}.`;
    cleanup.push(() => removeAll({ url, prefix, queues: [], parties: ["UVA", "SURF"] }));
    const proxy = await openTcpProxy(Number(new URL(url).port));
    cleanup.push(() => proxy.close());
    const proxied = new URL(url);
    proxied.port = String(proxy.port);
    const other = await connectAmqp({ url, party: "SURF", log, prefix });
    cleanup.push(() => other.close());
    const broker = await connectAmqp({ url: proxied.toString(), party: "UVA", log, prefix, publishWaitMs: 30_000 });
    cleanup.push(() => broker.close());
    return { broker, other, proxy };
  }

  it.each([0, 1, 17, 39])(
    "under its writer, at chunk %i, is written on, nothing lost, doubled or out of order",
    async (at) => {
      const { broker, other, proxy } = await throughProxy();
      const writer = await broker.transfers.open(target);
      cleanup.push(() => other.transfers.drop(writer.name));
      for (const index of upTo(40)) {
        await writer.write(chunk(index));
        if (index === at) {
          proxy.cut();
          proxy.heal();
        }
      }
      await writer.end();
      expect(await placesIn(other, writer.name)).toEqual(upTo(40));
    },
  );

  it("under its writer again and again is whole", async () => {
    const { broker, other, proxy } = await throughProxy();
    const writer = await broker.transfers.open(target);
    cleanup.push(() => other.transfers.drop(writer.name));
    for (const index of upTo(120)) {
      await writer.write(chunk(index));
      if (index % 15 === 7) {
        proxy.cut();
        proxy.heal();
      }
    }
    await writer.end();
    expect(await placesIn(other, writer.name)).toEqual(upTo(120));
  }, 60_000);

  it.each([1, 5, 19])("under its reader, at chunk %i, fails by name, and reads whole the next time", async (at) => {
    const { broker, other, proxy } = await throughProxy();
    const name = await written(other, 20);
    const places: number[] = [];
    const reading = async () => {
      for await (const bytes of broker.transfers.read(name, new AbortController().signal)) {
        places.push(placeOf(bytes));
        if (places.length === at) proxy.cut();
      }
    };
    await expect(reading()).rejects.toMatchObject({ label: "BROKER_UNAVAILABLE" });
    // Only what was on its way already, in its order.
    expect(places).toEqual(upTo(places.length));
    proxy.heal();
    await expect.poll(() => placesIn(broker, name), { timeout: 10_000 }).toEqual(upTo(20));
  });

  it("under its reader leaves all of it to another reader, whose connection holds", async () => {
    const { broker, other, proxy } = await throughProxy();
    const name = await written(other, 20);
    for await (const _ of broker.transfers.read(name, new AbortController().signal)) {
      proxy.cut();
      break;
    }
    await expect.poll(() => placesIn(other, name), { timeout: 10_000 }).toEqual(upTo(20));
  });
});

describe.skipIf(rabbitmqServer() === undefined)("a transfer whose broker is started again", () => {
  it("in the middle of it is written on and read whole, by a reader from before too", async () => {
    const rabbitmq = await startRabbitmq();
    cleanup.push(() => rabbitmq.stop());
    const broker = await connectAmqp({ url: rabbitmq.url, party: "UVA", log, publishWaitMs: 60_000 });
    cleanup.push(() => broker.close());
    const whole = await written(broker, 20);
    const writer = await broker.transfers.open(target);
    for (const index of upTo(20)) await writer.write(chunk(index));
    const reading = broker.transfers.read(whole, new AbortController().signal)[Symbol.asyncIterator]();
    await reading.next();
    const restarted = rabbitmq.restart();
    await expect.poll(() => broker.status().kind, { timeout: 20_000 }).toBe("reconnecting");
    for (const index of upTo(20)) await writer.write(chunk(20 + index));
    await writer.end();
    await restarted;
    const rest = async () => {
      while (!(await reading.next()).done);
    };
    await expect(rest()).rejects.toMatchObject({ label: "BROKER_UNAVAILABLE" });
    expect(await placesIn(broker, writer.name)).toEqual(upTo(40));
    expect(await placesIn(broker, whole)).toEqual(upTo(20));
  }, 120_000);
});
