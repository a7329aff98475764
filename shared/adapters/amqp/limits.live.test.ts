/** What the broker refuses and what it does not get over: full queues, poison, and what a user may not do. */
import { randomUUID } from "node:crypto";
import { type ChannelModel, connect } from "amqplib";
import { afterEach, describe, expect, inject, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import type { DeadLetter, QueueLimits } from "#ports/broker";
import { collector, message, work } from "#testing/broker-contract/kit";
import { takeDeadLetters } from "#testing/take-dead-letters";
import { connectAmqp } from "./broker.ts";
import { removeAll } from "./remove-all.ts";
import type { QueueType } from "./topology.ts";

const url = inject("amqpUrl");
const log = createMemoryLog();
const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanup.splice(0).reverse()) await clean();
});

async function opened(queueType: QueueType, queueLimits: Partial<QueueLimits> = {}, prefix = `t${randomUUID()}.`) {
  cleanup.push(() => removeAll({ url, prefix, queues: ["q", "full"], parties: ["UVA"] }));
  const broker = await connectAmqp({ url, party: "UVA", log, prefix, queueType, queueLimits });
  cleanup.push(() => broker.close());
  return { broker, prefix };
}

async function bareConnection(): Promise<ChannelModel> {
  const connection = await connect(url);
  connection.on("error", () => {});
  cleanup.push(() => connection.close().catch(() => {}));
  return connection;
}

const codeOf = (work: Promise<unknown>) => work.then(() => "OK").catch(({ label }) => label);

describe.skipIf(url === "").each(["classic", "quorum"] as const)("a full %s queue", (queueType) => {
  it("refuses the message that is one too many, by name, and takes others again when there is room", async () => {
    const { broker } = await opened(queueType, { messagesMax: 3 });
    await broker.declare([work("q"), work("full")]);
    const codes: string[] = [];
    // A quorum queue may take a few more than its limit.
    for (let i = 0; i < 30; i++) codes.push(await codeOf(broker.publish(message("full", `m${i}`))));
    expect(codes.slice(0, 3)).toEqual(["OK", "OK", "OK"]);
    expect(codes.at(-1)).toBe("OVERLOADED");
    await broker.publish(message("q", "elsewhere"));
    const { handler } = collector();
    await broker.consume("full", { prefetch: 10 }, handler);
    await expect.poll(() => codeOf(broker.publish(message("full", "later")))).toBe("OK");
  });

  it("refuses a retry too many: the message stays in its own queue, is tried again and not lost", async () => {
    const { broker } = await opened(queueType, { messagesMax: 5 });
    await broker.declare([work("q")]);
    const { seen, handler } = collector(async ({ tries }) =>
      tries === 0 ? { kind: "retry", afterMs: 400, reason: "OVERLOADED: later" } : { kind: "done" },
    );
    await broker.consume("q", { prefetch: 20 }, handler);
    const ids = Array.from({ length: 20 }, (_, i) => `m${i}`);
    for (const id of ids) await expect.poll(() => codeOf(broker.publish(message("q", id)))).toBe("OK");
    const ended = () => new Set(seen.filter(({ tries }) => tries > 0).map(({ id }) => id)).size;
    await expect.poll(ended, { timeout: 20_000 }).toBe(ids.length);
    // Some came back to their own queue before there was room for their wait.
    expect(seen.filter(({ tries }) => tries === 0).length).toBeGreaterThan(ids.length);
  });

  it("refuses also what is too many bytes", async () => {
    const { broker } = await opened(queueType, { bytesMax: 1_000_000 });
    await broker.declare([work("q")]);
    const body = new Uint8Array(400_000);
    const codes: string[] = [];
    for (let i = 0; i < 20; i++) codes.push(await codeOf(broker.publish(message("q", `m${i}`, { body }))));
    expect(codes[0]).toBe("OK");
    expect(codes.at(-1)).toBe("OVERLOADED");
  });
});

describe.skipIf(url === "")("a dead letter", () => {
  it("tells each try that it had, where, when and why", async () => {
    const { broker } = await opened("classic");
    await broker.declare([work("q")]);
    const { handler } = collector(({ tries }) =>
      tries < 2
        ? { kind: "retry", afterMs: 1, reason: `WORKER_CRASHED: try ${tries}` }
        : { kind: "dead-letter", reason: "SQL_INVALID: no" },
    );
    await broker.consume("q", { prefetch: 1 }, handler);
    const before = Date.now();
    await broker.publish(message("q", "m"));
    const letters: DeadLetter[] = [];
    await expect
      .poll(async () => {
        letters.push(...(await takeDeadLetters(broker, 1)));
        return letters.length;
      })
      .toBe(1);
    expect(letters[0]?.history.map(({ queue, reason }) => [queue, reason])).toEqual([
      ["q", "WORKER_CRASHED: try 0"],
      ["q", "WORKER_CRASHED: try 1"],
      ["q", "SQL_INVALID: no"],
    ]);
    for (const { atMs } of letters[0]?.history ?? []) {
      expect(atMs).toBeGreaterThanOrEqual(before);
      expect(atMs).toBeLessThanOrEqual(Date.now());
    }
  });

  it("with a history that another wrote is shown without it", async () => {
    const { broker, prefix } = await opened("classic");
    await broker.declare([work("q")]);
    const channel = await (await bareConnection()).createConfirmChannel();
    for (const history of ["not JSON", "{}", '[1, {"queue": 2}]', "[null]"]) {
      channel.publish(`${prefix}dynamos.dead-letters`, "uva.dead-letters", Buffer.from("x"), {
        headers: { "x-history": history, "x-reason": "r", "x-queue": "q" },
      });
    }
    await channel.waitForConfirms();
    const letters = await takeDeadLetters(broker, 10);
    expect(letters.map(({ history }) => history)).toEqual([[], [], [], []]);
  });
});
