/**
 * What is declared, as it is sent, against what RabbitMQ 4 has deprecated or removed: such a broker can't be had here.
 * Sources: rabbitmq.com/release-information/deprecated-features-list (transient_nonexcl_queues, global_qos,
 * classic_queue_mirroring) and github.com/rabbitmq/rabbitmq-server, release-notes/4.3.0.md, which refuses the first two,
 * `x-queue-mode` with any value, `x-queue-version: 1` and `x-queue-master-locator`.
 */
import type { Channel, Options } from "amqplib";
import { describe, expect, it } from "vitest";
import { limits } from "#domain/limits";
import type { Queue } from "#ports/broker";
import type { Connection } from "./connection.ts";
import { runConsumer } from "./consumer.ts";
import type { Session } from "./session.ts";
import { declareBase, declareQueue, namesWith, type QueueType } from "./topology.ts";
import { createAmqpTransfers } from "./transfers.ts";

interface Sent {
  readonly method: string;
  readonly name: string;
  readonly options: Options.AssertQueue & Options.AssertExchange;
  readonly rest: readonly unknown[];
}

/** Notes what it is told and agrees to everything. */
function recorder(sent: Sent[]): Channel {
  return new Proxy({} as Channel, {
    get: (_, method) => {
      if (method === "then") return undefined;
      return async (name: string, ...rest: unknown[]) => {
        sent.push({ method: String(method), name, options: (rest.at(-1) ?? {}) as Sent["options"], rest });
        return { consumerTag: "1", messageCount: 0 };
      };
    },
  });
}

const queues: readonly Queue[] = [
  { name: "uva.sql-query", bindings: ["uva.sql-query"], kind: "work" },
  { name: "surf.gather", bindings: ["surf.gather"], kind: "work", singleActive: true },
  { name: "reply.uva.1", bindings: ["reply.uva.1"], kind: "private" },
];

async function declared(queueType: QueueType, user: string | undefined, brokerVersion: string): Promise<Sent[]> {
  const sent: Sent[] = [];
  const channel = recorder(sent);
  const names = namesWith("", "UVA", user);
  const queueLimits = { messagesMax: limits.queueMessagesMax, bytesMax: limits.queueBytesMax };
  const topology = { names, queueType, queueLimits };
  await declareBase(channel, topology);
  for (const queue of queues) await declareQueue(channel, topology, queue);
  const session = { brokerVersion, openChannel: async () => channel, over: new AbortController().signal };
  const connection = { use: (run: (one: Session) => unknown) => run(session as unknown as Session) };
  const transfers = createAmqpTransfers(connection as unknown as Connection, names);
  await transfers.open({ from: "UVA", to: "SURF", expiresInMs: 1_000 });
  await runConsumer({
    session: session as unknown as Session,
    queue: "uva.sql-query",
    prefetch: 7,
    settle: async () => "acknowledge",
    onStopped: () => {},
  });
  return sent;
}

const ways = (["classic", "quorum"] as const).flatMap((type) => [[type, undefined] as const, [type, "uva"] as const]);

describe.each(ways)("what a %s broker with the user %s is told", (queueType, user) => {
  const queuesOf = async (version: string) =>
    (await declared(queueType, user, version)).filter(({ method }) => method === "assertQueue");

  it.each(["4.0.9", "4.3.0"])("has nothing that RabbitMQ %s does not take or warns of", async (version) => {
    const sent = await declared(queueType, user, version);
    const asserted = sent.filter(({ method }) => method === "assertQueue");
    expect(asserted.length).toBeGreaterThan(12);
    for (const { name, options } of asserted) {
      expect({ name, durable: options.durable, exclusive: options.exclusive ?? false }).toEqual({
        name,
        durable: true,
        exclusive: false,
      });
      expect(Object.keys(options.arguments ?? {})).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^x-(queue-mode|queue-version|queue-master-locator|ha-.*)$/)]),
      );
    }
    for (const { options } of sent.filter(({ method }) => method === "assertExchange")) {
      expect(options).toMatchObject({ durable: true });
    }
    // Per consumer: the second argument would make it global.
    expect(sent.filter(({ method }) => method === "prefetch").map(({ name, rest }) => [name, rest])).toEqual([[7, []]]);
    expect(sent.map(({ method }) => method)).not.toContain("recover");
  });

  it("says of every queue which type it is to have, whatever the broker's own default", async () => {
    for (const { name, options } of await queuesOf("4.2.0")) {
      const own = /^transfer\./.test(name) ? "classic" : queueType;
      expect([name, options.arguments?.["x-queue-type"]]).toEqual([name, own]);
    }
  });

  it("bounds every queue but those of which nothing may be dropped, and refuses what is too much", async () => {
    for (const { name, options } of await queuesOf("4.2.0")) {
      if (/^transfer\./.test(name) || (name === "uva.returns" && queueType === "classic")) continue;
      expect(options.maxLength).toBeGreaterThan(0);
      expect(options.arguments?.["x-max-length-bytes"]).toBeGreaterThan(0);
      if (name !== "uva.dead-letters")
        expect([name, options.arguments?.["x-overflow"]]).toEqual([name, "reject-publish"]);
    }
  });

  it("keeps a table's chunks on the disk of a broker that does not do so by itself", async () => {
    const modeOf = async (version: string) =>
      (await queuesOf(version)).find(({ name }) => name.startsWith("transfer."))?.options.arguments?.["x-queue-mode"];
    expect(await Promise.all(["3.10.8", "3.11.28", "3.12.0", "3.13.7", "4.3.0"].map(modeOf))).toEqual([
      "lazy",
      "lazy",
      undefined,
      undefined,
      undefined,
    ]);
  });
});
