import { randomUUID } from "node:crypto";
import { connect } from "amqplib";
import { describe, expect, inject, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import type { Broker, QueueLimits } from "#ports/broker";
import { brokerContract } from "#testing/broker-contract";
import { message } from "#testing/broker-contract/kit";
import { limitsContract } from "#testing/broker-contract/limits";
import { takeDeadLetters } from "#testing/take-dead-letters";
import { connectAmqp } from "./broker.ts";
import { removeAll } from "./remove-all.ts";

const url = inject("amqpUrl");
const parties = ["UVA", "VU", "SURF"];
const log = createMemoryLog();

describe.skipIf(url === "").each(["classic", "quorum"] as const)("RabbitMQ with %s queues", (queueType) => {
  const openWorld = async (queueLimits: Partial<QueueLimits> = {}) => {
    const prefix = `t${randomUUID()}.`;
    const open: Broker[] = [];
    return {
      connect: async (party: string) => {
        const broker = await connectAmqp({ url, party, log, prefix, queueType, queueLimits });
        open.push(broker);
        return broker;
      },
      close: async () => {
        await Promise.all(open.map((broker) => broker.close()));
        await removeAll({ url, prefix, queues: ["q", "a", "b"], parties });
      },
    };
  };
  brokerContract(openWorld);
  limitsContract(openWorld);
});

describe.skipIf(url === "")("RabbitMQ", () => {
  it("names a queue that is there with other arguments, and what to do", async () => {
    const prefix = `t${randomUUID()}.`;
    const connection = await connect(url);
    await (await connection.createChannel()).assertQueue(`${prefix}q`, { durable: true });
    await connection.close();
    const broker = await connectAmqp({ url, party: "UVA", log, prefix });
    const declared = broker.declare([{ name: "q", bindings: ["q"], kind: "work" }]);
    await expect(declared).rejects.toThrow(
      `the queue ${prefix}q exists with other arguments (x-dead-letter-exchange is none there and ${prefix}dynamos.dead-letters here): delete it on the broker, or use another prefix or vhost`,
    );
    await broker.close();
    await removeAll({ url, prefix, queues: ["q"], parties });
  });

  it("puts aside what is no message of this system, and goes on", async () => {
    const prefix = `t${randomUUID()}.`;
    const broker = await connectAmqp({ url, party: "UVA", log, prefix });
    await broker.declare([{ name: "q", bindings: ["q"], kind: "work" }]);
    const connection = await connect(url);
    const channel = await connection.createConfirmChannel();
    channel.publish("", `${prefix}q`, Buffer.from("x"), {
      userId: "test",
      headers: { "x-tries": "many", odd: { deep: [1] } },
    });
    await channel.waitForConfirms();
    await connection.close();
    const seen: string[] = [];
    await broker.consume("q", { prefetch: 1 }, async ({ id }) => {
      seen.push(id);
      return { kind: "done" };
    });
    await broker.publish(message("q", "good"));
    await expect.poll(() => seen).toEqual(["good"]);
    await expect
      .poll(() => takeDeadLetters(broker, 10))
      .toMatchObject([{ queue: "q", reason: "ENVELOPE_INVALID: not a message of this system", tries: 0 }]);
    await broker.close();
    await removeAll({ url, prefix, queues: ["q"], parties });
  });

  it("consumes again, without a new connection, after its queue was deleted", async () => {
    const prefix = `t${randomUUID()}.`;
    const broker = await connectAmqp({ url, party: "UVA", log, prefix });
    const notices: string[] = [];
    broker.onStatus(({ kind }) => notices.push(kind));
    await broker.declare([{ name: "q", bindings: ["q"], kind: "work" }]);
    const seen: string[] = [];
    await broker.consume("q", { prefetch: 1 }, async ({ id }) => {
      seen.push(id);
      return { kind: "done" };
    });
    const connection = await connect(url);
    await (await connection.createChannel()).deleteQueue(`${prefix}q`);
    await connection.close();
    const sent = () => broker.publish(message("q", "after")).catch(() => {});
    await expect.poll(() => sent().then(() => seen), { timeout: 10_000 }).toContain("after");
    expect(notices).toEqual([]);
    await broker.close();
    await removeAll({ url, prefix, queues: ["q"], parties });
  });

  it("says that a broker can't be reached", async () => {
    const connecting = connectAmqp({ url: "amqp://test:wrong@127.0.0.1:1", party: "UVA", log });
    await expect(connecting).rejects.toMatchObject({ label: "BROKER_UNAVAILABLE" });
  });
});
