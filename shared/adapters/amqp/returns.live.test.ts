/** What waits for its next try while its queue fills up or goes away: the broker alone would drop it without a word. */
import { randomUUID } from "node:crypto";
import { connect } from "amqplib";
import { afterEach, describe, expect, inject, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import type { Disposition } from "#ports/broker";
import { collector, message, work } from "#testing/broker-contract/kit";
import { takeDeadLetters } from "#testing/take-dead-letters";
import { connectAmqp } from "./broker.ts";
import { removeAll } from "./remove-all.ts";

const url = inject("amqpUrl");
const log = createMemoryLog();
const retry = { kind: "retry", afterMs: 400, reason: "OVERLOADED: x" } as const;
const done = { kind: "done" } as const;

describe.skipIf(url === "").each(["classic", "quorum"] as const)("a retry over a %s queue", (queueType) => {
  const cleanup: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const clean of cleanup.splice(0).reverse()) await clean();
  });

  async function opened(messagesMax: number) {
    const prefix = `t${randomUUID()}.`;
    cleanup.push(() => removeAll({ url, prefix, queues: ["q"], parties: ["UVA"] }));
    const broker = await connectAmqp({ url, party: "UVA", log, prefix, queueType, queueLimits: { messagesMax } });
    cleanup.push(() => broker.close());
    return { broker, prefix };
  }

  it("that is full when the wait is over comes back when there is room", async () => {
    const { broker } = await opened(2);
    await broker.declare([work("q")]);
    let release: (disposition: Disposition) => void = () => {};
    const gate = new Promise<Disposition>((resolve) => {
      release = resolve;
    });
    const { ids, handler } = collector(({ id, tries }) => (id !== "again" ? gate : tries === 0 ? retry : done));
    await broker.publish(message("q", "again"));
    await broker.consume("q", { prefetch: 1 }, handler);
    await expect.poll(ids).toEqual(["again"]);
    // One in hand, and as many behind it as the queue takes.
    const taken: string[] = [];
    for (let i = 0; i < 20; i++) {
      const sent = broker.publish(message("q", `m${i}`)).then(() => taken.push(`m${i}`));
      await sent.catch((error) => expect(error.label).toBe("OVERLOADED"));
    }
    expect(taken.length).toBeLessThan(20);
    // Longer than its wait: it has been refused by now, and waits once more.
    await new Promise((resume) => setTimeout(resume, 800));
    expect(ids()).toEqual(["again", taken[0]]);
    release(done);
    await expect.poll(ids, { timeout: 10_000 }).toEqual(["again", ...taken, "again"]);
    expect(await takeDeadLetters(broker, 10)).toEqual([]);
  }, 30_000);

  it("that is gone when the wait is over puts the message aside, by name", async () => {
    const { broker, prefix } = await opened(100);
    await broker.declare([work("q")]);
    const { ids, handler } = collector(() => retry);
    const consumer = await broker.consume("q", { prefetch: 1 }, handler);
    await broker.publish(message("q", "again"));
    await expect.poll(ids).toEqual(["again"]);
    await consumer.cancel();
    const connection = await connect(url);
    await (await connection.createChannel()).deleteQueue(`${prefix}q`);
    await connection.close();
    await expect
      .poll(() => takeDeadLetters(broker, 10))
      .toMatchObject([
        {
          id: "again",
          queue: "q",
          tries: 1,
          reason: "UNROUTABLE: the queue q is gone",
          history: [{ reason: "OVERLOADED: x" }, {}],
        },
      ]);
  });

  it("reaches another sidecar of the party when the first one is gone meanwhile", async () => {
    const { broker, prefix } = await opened(100);
    await broker.declare([work("q")]);
    const first = await connectAmqp({ url, party: "UVA", log, prefix, queueType, queueLimits: { messagesMax: 100 } });
    cleanup.push(() => first.close());
    const { ids, handler } = collector(() => retry);
    const consumer = await first.consume("q", { prefetch: 1 }, handler);
    await broker.publish(message("q", "again"));
    await expect.poll(ids).toEqual(["again"]);
    // Without this it might end before it could acknowledge, and the message come twice.
    await consumer.cancel();
    await first.close();
    const second = collector();
    await broker.consume("q", { prefetch: 1 }, second.handler);
    await expect.poll(() => second.seen).toMatchObject([{ id: "again", tries: 1 }]);
  });
});
