/** Messages that nobody can carry out. Over the in-memory broker and over RabbitMQ. */
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { Envelope, Role } from "#contracts";
import { limits } from "#domain/limits";
import { labelOf } from "#errors";
import type { DeadLetter, Delivery, Message } from "#ports/broker";
import { type ActedWorld, actedParties, actedQueues, documentOf, openActedWorld } from "#testing/acted-world";
import { type BrokerLinks, brokerLinks } from "#testing/broker-links";
import { takeDeadLetters } from "#testing/take-dead-letters";
import { readEnvelope } from "./poison.ts";

const garbage = new Uint8Array([255, 255, 255]);
const chain = {
  id: "UVA",
  party: "UVA",
  role: Role.DATA_PROVIDER,
  archetype: "computeToData",
  steps: ["sql-query"],
  providers: ["UVA"],
  gatherAt: "",
};
/** The id of its first hop. */
const hop = "q1/UVA/0/1";
const valid = (more: Partial<Envelope> = {}): Envelope =>
  Envelope.create({ queryId: "q1", party: "UVA", step: "sql-query", attempt: 1, chain, ...more });

describe.each([
  ["the in-memory broker", "memory"],
  ["RabbitMQ", inject("amqpUrl")],
])("poison over %s", (_, url) => {
  describe.skipIf(url === "")("", () => {
    let links: BrokerLinks;
    let acted: ActedWorld;
    beforeEach(async () => {
      links = brokerLinks(url, { queues: actedQueues, parties: actedParties });
      acted = await openActedWorld(links.connect);
    });
    afterEach(async () => {
      await acted.world.close();
      await links.remove();
    });

    const publish = (routingKey: string, more: Partial<Message>) =>
      acted.world.brokers.get("VU")?.publish({
        id: "poison",
        routingKey,
        type: "envelope",
        queryId: "q1",
        body: Envelope.encode(valid()).finish(),
        traceparent: "",
        ...more,
      });

    async function deadLettersOf(party: string): Promise<DeadLetter[]> {
      const letters: DeadLetter[] = [];
      await expect
        .poll(async () => letters.push(...((await takeDeadLetters(acted.world.brokers.get(party), 10)) ?? [])), {
          timeout: 5_000,
        })
        .toBeGreaterThan(0);
      return letters;
    }

    it.each([
      ["that is no envelope", { body: garbage }, "ENVELOPE_INVALID: not an envelope"],
      [
        "of the type reply",
        { type: "reply" },
        "ENVELOPE_INVALID: a message of the type reply, where envelope is taken",
      ],
      [
        "of the type control",
        { type: "control" },
        "ENVELOPE_INVALID: a message of the type control, where envelope is taken",
      ],
      [
        "that lacks what every envelope has",
        { body: Envelope.encode(valid({ queryId: "", chain: undefined })).finish() },
        "ENVELOPE_INVALID: an envelope without query id, chain",
      ],
    ] as const)("a message %s is put aside at once, and what follows is carried out", async (_what, more, reason) => {
      await publish("uva.sql-query", more);
      expect(await deadLettersOf("UVA")).toMatchObject([
        { id: "poison", queue: "uva.sql-query", reason, tries: 0, history: [{ reason }] },
      ]);
      expect(acted.calls["UVA sql-query"]).toBeUndefined();
      expect(await acted.world.ask({ sql: "SELECT 1", providers: ["UVA"] })).toMatchObject({ status: 200 });
    });

    it.each([
      ["no envelope", { id: "poison", body: garbage }, "ENVELOPE_INVALID: not an envelope"],
      ["a part of no gather", { id: hop }, "ENVELOPE_INVALID: not a part of a gather here"],
      ["of another hop", { id: "poison" }, `ENVELOPE_INVALID: a message whose id is not that of its hop, ${hop}`],
    ] as const)("what is %s is put aside by a gather", async (_what, more, reason) => {
      await publish("surf.gather", more);
      expect(await deadLettersOf("SURF")).toMatchObject([{ id: more.id, queue: "surf.gather", reason, tries: 0 }]);
    });

    it.each([
      ["a step", valid({ chain: undefined }), "an envelope without chain"],
      ["a gather", valid({ party: "SURF", step: "gather" }), "not a part of a gather here"],
    ])("the asker of an envelope that %s can't take is told at once", async (_what, envelope, message) => {
      const sidecar = acted.world.sidecars.get("exchange");
      const asked = { ...envelope, deadlineMs: Date.now() + 60_000 };
      for await (const reply of sidecar?.request(asked, new AbortController().signal) ?? []) {
        const { content } = reply;
        const failure = content?.$case === "failure" ? content.value : undefined;
        expect({ ...failure, code: labelOf(failure?.code ?? 0) }).toMatchObject({
          code: "ENVELOPE_INVALID",
          message,
          party: envelope.party,
        });
        break;
      }
      expect(await deadLettersOf(envelope.party)).toHaveLength(1);
    });

    it("a reply that can't be read ends its query by name, not at its deadline", async () => {
      acted.behaviours["UVA sql-query"] = async ({ replyTo, queryId }) => {
        await publish(replyTo, { type: "reply", queryId, body: garbage });
        return new Promise(() => {});
      };
      expect(await acted.world.ask({ sql: "SELECT 1", providers: ["UVA"] }, { timeoutMs: 60_000 })).toMatchObject({
        body: { code: "ENVELOPE_INVALID", detail: expect.stringContaining("not a reply") },
      });
      expect(await deadLettersOf("exchange")).toMatchObject([{ reason: "ENVELOPE_INVALID: not a reply" }]);
    });

    it.each(["UVA sql-query", "UVA sql-algorithm"])(
      "what %s makes is too large for a message: the asker is told at once",
      async (at) => {
        acted.behaviours[at] = () => documentOf(Buffer.alloc(limits.messageBytesMax - 200, 0x20));
        expect(await acted.world.ask({ sql: "SELECT 1", providers: ["UVA"] }, { timeoutMs: 60_000 })).toMatchObject({
          status: 413,
          body: { code: "BODY_TOO_LARGE" },
        });
      },
    );
  });
});

it("a message that is too large is not an envelope, whatever is in it", () => {
  const body = Envelope.encode(valid({ traceparent: "x".repeat(limits.messageBytesMax) })).finish();
  const delivery: Delivery = {
    id: hop,
    routingKey: "uva.sql-query",
    queue: "uva.sql-query",
    type: "envelope",
    queryId: "q1",
    body,
    traceparent: "",
    tries: 0,
    redelivered: false,
  };
  expect(readEnvelope(delivery)).toMatchObject({ message: expect.stringMatching(/^a message of \d+ bytes, at most/) });
  expect(readEnvelope({ ...delivery, body: Envelope.encode(valid()).finish() })).toEqual(valid());
});
