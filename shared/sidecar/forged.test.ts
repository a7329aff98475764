/**
 * Forged messages on the queues themselves, published by the exchange's own broker user: past the enforcer,
 * with another plan, another query, old approvals. Nothing is opened and nothing leaves. Over both brokers.
 */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from "vitest";
import { Envelope, Reply } from "#contracts";
import { hopId } from "#domain/route";
import { labelOf } from "#errors";
import type { Broker, Message } from "#ports/broker";
import { type ActedWorld, actedParties, actedQueues, documentOf, openActedWorld } from "#testing/acted-world";
import { type BrokerLinks, brokerLinks } from "#testing/broker-links";
import { type Forgery, forgedAtHome, forgedForUnion } from "#testing/forgeries";
import { takeDeadLetters } from "#testing/take-dead-letters";

const canary = "canary-of-the-data";
const counted = { forgeries: 0 };

interface Sent {
  readonly party: string;
  readonly message: Message;
}

/** Queues whose messages are kept from the broker, to be sent as they are or forged. */
const caught: Readonly<Record<string, readonly string[]>> = {
  home: ["uva.sql-query"],
  union: ["uva.sql-query", "vu.sql-query"],
  parts: ["surf.gather"],
  merged: ["surf.sql-aggregate"],
};

const queries = {
  home: { providers: ["UVA"], options: {} },
  union: { providers: ["UVA", "VU"], options: { aggregate: true } },
};

describe.each([
  ["the in-memory broker", "memory"],
  ["RabbitMQ", inject("amqpUrl")],
])("a forged message over %s", (_, url) => {
  describe.skipIf(url === "")("", () => {
    let links: BrokerLinks;
    let acted: ActedWorld;
    let sent: Sent[] = [];
    let catching: readonly string[] = [];
    let catches: Message[] = [];
    let asking: Promise<unknown>[] = [];
    let stop: AbortController;

    function tapped(broker: Broker, party: string): Broker {
      const publish: Broker["publish"] = async (message) => {
        if (catching.includes(message.routingKey)) {
          catches.push(message);
          return;
        }
        sent.push({ party, message });
        // A failure that reached who asked would end the query, and what is sent after it with CANCELLED.
        if (message.type !== "reply" || party === "exchange") await broker.publish(message);
      };
      return new Proxy(broker, {
        get: (target, name) => {
          if (name === "publish") return publish;
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    }

    beforeAll(async () => {
      links = brokerLinks(url, { queues: actedQueues, parties: actedParties });
      acted = await openActedWorld(async (party) => tapped(await links.connect(party), party));
      acted.behaviours["sql-query"] = () => documentOf(Buffer.from(canary));
    }, 60_000);
    beforeEach(() => {
      stop = new AbortController();
      sent = [];
      for (const key of Object.keys(acted.calls)) delete (acted.calls as Record<string, number>)[key];
    });
    afterEach(async () => {
      stop.abort();
      await Promise.all(asking);
      asking = [];
    });
    afterAll(async () => {
      await acted?.world.close();
      await links.remove();
    }, 60_000);

    /** What the exchange sends for a query of this kind; `then` is caught after what comes before it was sent on. */
    async function catchOf(kind: keyof typeof queries, ...then: string[]): Promise<Message[]> {
      let caughtNow: Message[] = [];
      const id = randomUUID();
      const query = { id, sql: "SELECT 1", algorithm: { name: "average", column: "", groupBy: [] }, purpose: "wages" };
      for (const step of [kind, ...then]) {
        catching = [...(caught[step] ?? [])];
        catches = [];
        if (step === kind) {
          asking.push(acted.world.ask({ ...query, ...queries[kind] }, { timeoutMs: 110_000, signal: stop.signal }));
        }
        for (const message of caughtNow) await publish(senderOf(message), message);
        const count = step === "union" || step === "parts" ? 2 : 1;
        const own = () => catches.filter(({ queryId }) => queryId === id);
        await vi.waitUntil(() => own().length === count, { timeout: 20_000 });
        caughtNow = own();
      }
      catching = [];
      sent = [];
      return caughtNow;
    }

    const publish = (party: string, message: Message) => acted.world.brokers.get(party)?.publish(message);

    function senderOf({ routingKey, body }: Message): string {
      return routingKey === "surf.gather" ? Envelope.decode(body).party : "exchange";
    }

    function forgedMessage(message: Message, forge: Forgery["forge"]): Message {
      const envelope = forge(Envelope.decode(message.body));
      const id = hopId(envelope.queryId, envelope.chain?.id ?? "", envelope.hop, envelope.attempt);
      return { ...message, id, queryId: envelope.queryId, body: Envelope.encode(envelope).finish() };
    }

    const repliesOf = (party: string) =>
      sent.flatMap(({ party: from, message }) =>
        from === party && message.type === "reply" ? [Reply.decode(message.body)] : [],
      );

    const failuresOf = (party: string) =>
      repliesOf(party).map(({ content }) =>
        content?.$case === "failure" ? { code: labelOf(content.value.code), message: content.value.message } : content,
      );

    function expectNothingLeft(): void {
      expect(acted.calls).toEqual({});
      expect(sent.filter(({ message }) => Buffer.from(message.body).includes(canary))).toEqual([]);
    }

    async function refuses(party: string, message: Message, { forge, code, says }: Forgery): Promise<void> {
      await publish(senderOf(message), forgedMessage(message, forge));
      await expect.poll(() => failuresOf(party).length, { timeout: 20_000 }).toBeGreaterThan(0);
      // Where a gather that is nobody's can't be told, that is a second one.
      expect(failuresOf(party)[0]).toEqual({ code, message: expect.stringMatching(says) });
      counted.forgeries += 1;
    }

    describe("to a provider that computes at home", () => {
      it.each(forgedAtHome)("is refused with $what", async (forgery) => {
        const [genuine] = (await catchOf("home")) as [Message];
        await refuses("UVA", genuine, forgery);
        expectNothingLeft();
      });

      it("runs as it is, once, and not again under its own id nor another", async () => {
        const [genuine] = (await catchOf("home")) as [Message];
        await publish("exchange", genuine);
        await expect.poll(() => repliesOf("UVA"), { timeout: 20_000 }).toHaveLength(1);
        expect(repliesOf("UVA")).toMatchObject([{ content: { $case: "result" } }]);
        expect(acted.calls).toEqual({ "UVA sql-query": 1, "UVA sql-anonymize": 1, "UVA sql-algorithm": 1 });
        const calls = { ...acted.calls };
        await publish("exchange", genuine);
        await publish("exchange", { ...genuine, id: "again" });
        await expect
          .poll(() => takeDeadLetters(acted.world.brokers.get("UVA"), 100), { timeout: 20_000 })
          .toEqual(
            expect.arrayContaining([
              expect.objectContaining({ id: "again", reason: expect.stringMatching(/of its hop/) }),
            ]),
          );
        expect(acted.calls).toEqual(calls);
        expect(repliesOf("UVA").filter(({ content }) => content?.$case === "result")).toHaveLength(1);
      });
    });

    describe("to a provider whose table is gathered", () => {
      async function genuineStart(): Promise<Message> {
        const starts = await catchOf("union");
        return starts.find(({ routingKey }) => routingKey === "uva.sql-query") as Message;
      }

      it.each(forgedForUnion)("is refused with $what", async (forgery) => {
        const genuine = await genuineStart();
        await refuses("UVA", genuine, forgery);
        expectNothingLeft();
      });

      it("is refused at a queue of another party", async () => {
        const genuine = await genuineStart();
        await publish("exchange", { ...genuine, routingKey: "vu.sql-query" });
        await expect
          .poll(() => sent.filter(({ party }) => party === "VU").length, { timeout: 20_000 })
          .toBeGreaterThan(0);
        expect(repliesOf("VU")).toMatchObject([{ content: { $case: "failure" } }]);
        expectNothingLeft();
      });
    });

    describe("to a third party", () => {
      it.each([
        ["a part that is not signed", (one) => ({ ...one, approvals: [] }), "APPROVAL_INVALID"],
        [
          "a part of another query",
          (one) => ({ ...one, query: one.query && { ...one.query, sql: "x" } }),
          "APPROVAL_INVALID",
        ],
        [
          "a gather without the algorithm",
          (one) => ({ ...one, gather: one.gather && { ...one.gather, steps: ["sql-aggregate"] } }),
          "REVOKED",
        ],
      ] as [string, Forgery["forge"], string][])("is refused as %s", async (_what, forge, code) => {
        const parts = await catchOf("union", "parts");
        const [first, second] = parts as [Message, Message];
        for (const key of Object.keys(acted.calls)) delete (acted.calls as Record<string, number>)[key];
        await publish(senderOf(first), forgedMessage(first, forge));
        await publish(senderOf(second), second);
        await expect.poll(() => failuresOf("SURF"), { timeout: 20_000 }).toHaveLength(1);
        expect(JSON.stringify(failuresOf("SURF"))).toContain(code);
        expectNothingLeft();
        counted.forgeries += 1;
      });

      it.each([
        ["no approval of one of them", (one) => ({ ...one, approvals: one.approvals.slice(1) }), "APPROVAL_INVALID"],
        [
          "a chain of one of them",
          (one) => ({ ...one, chain: one.chain && { ...one.chain, providers: ["VU"] } }),
          "DENIED",
        ],
        [
          "a chain of nobody",
          (one) => ({ ...one, chain: one.chain && { ...one.chain, providers: [] }, inputs: [] }),
          "DENIED",
        ],
        [
          "a chain without the algorithm",
          (one) => ({ ...one, chain: one.chain && { ...one.chain, steps: ["sql-aggregate"] } }),
          "REVOKED",
        ],
        ["another query", (one) => ({ ...one, query: one.query && { ...one.query, sql: "x" } }), "APPROVAL_INVALID"],
        ["another asker", (one) => ({ ...one, replyTo: "reply.exchange.mine" }), "APPROVAL_INVALID"],
      ] as [string, Forgery["forge"], string][])("is refused as a union with %s", async (_what, forge, code) => {
        const [merged] = (await catchOf("union", "parts", "merged")) as [Message];
        for (const key of Object.keys(acted.calls)) delete (acted.calls as Record<string, number>)[key];
        await publish("SURF", forgedMessage(merged, forge));
        await expect.poll(() => failuresOf("SURF"), { timeout: 20_000 }).toMatchObject([{ code }]);
        expectNothingLeft();
        counted.forgeries += 1;
      });
    });

    it("prints how many were refused", () => {
      process.stdout.write(`FORGED: ${counted.forgeries} messages so far, each refused over its queue\n`);
      expect(counted.forgeries).toBeGreaterThan(forgedAtHome.length + forgedForUnion.length);
    });
  });
});
