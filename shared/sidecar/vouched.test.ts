/** Messages in another's name, at sidecars whose broker says who sent them. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemoryExchange, type MemoryExchange } from "#adapters/memory/broker";
import { type Chain, Envelope, ErrorCode, Reply, Role } from "#contracts";
import { cancelTopic } from "#domain/route";
import type { Broker, DeadLetter, Message } from "#ports/broker";
import { type ActedWorld, documentOf, openActedWorld } from "#testing/acted-world";
import { takeDeadLetters } from "#testing/take-dead-letters";

let hub: MemoryExchange;
let acted: ActedWorld;

beforeEach(async () => {
  hub = createMemoryExchange();
  acted = await openActedWorld(async (party) => hub.connect({ party, ownUser: true }));
});
afterEach(() => acted.world.close());

const chainOf = (party: string, role: Role, steps: string[]): Chain => ({
  id: party,
  party,
  role,
  archetype: "dataThroughTtp",
  steps,
  providers: ["UVA", "VU"],
  gatherAt: "",
});
const gather = chainOf("SURF", Role.COMPUTE_PROVIDER, ["sql-aggregate"]);
const inputOf = (provider: string) => [{ provider, payload: undefined, failure: undefined }];
const envelope = (more: Partial<Envelope>): Envelope =>
  Envelope.create({ queryId: "q1", attempt: 1, deadlineMs: Date.now() + 60_000, replyTo: "reply.exchange.x", ...more });

async function send(from: string | Broker, routingKey: string, body: Uint8Array, more: Partial<Message> = {}) {
  const broker = typeof from === "string" ? acted.world.brokers.get(from) : from;
  await broker?.publish({ id: "forged", routingKey, type: "envelope", queryId: "q1", body, traceparent: "", ...more });
}

async function deadLetters(count: number): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  const broker = acted.world.brokers.get("UVA");
  await expect.poll(async () => letters.push(...((await takeDeadLetters(broker, 10)) ?? []))).toBe(count);
  return letters;
}

describe("a sidecar whose broker says who sent a message", () => {
  it("carries out whole queries of both archetypes", async () => {
    const query = { sql: "SELECT 1", providers: ["UVA", "VU"] };
    expect(await acted.world.ask(query)).toMatchObject({ status: 200 });
    expect(await acted.world.ask({ ...query, options: { aggregate: true } })).toMatchObject({ status: 200 });
    expect(await takeDeadLetters(acted.world.brokers.get("UVA"), 10)).toEqual([]);
  });

  it.each<[string, string, Partial<Envelope>, string]>([
    [
      "a first hop that another provider starts",
      "uva.sql-query",
      { party: "UVA", step: "sql-query", chain: chainOf("UVA", Role.DATA_PROVIDER, ["sql-query"]) },
      "ENVELOPE_INVALID: a message to a step of UVA came from the broker user vu",
    ],
    [
      "a later hop",
      "uva.sql-query",
      { party: "UVA", step: "sql-query", hop: 1, chain: chainOf("UVA", Role.DATA_PROVIDER, ["x", "sql-query"]) },
      "ENVELOPE_INVALID: a message to a step of UVA came from the broker user vu",
    ],
    [
      "another provider's part",
      "surf.gather",
      { party: "UVA", step: "sql-query", hop: 1, chain: chainOf("UVA", Role.DATA_PROVIDER, ["sql-query"]), gather },
      "ENVELOPE_INVALID: a part of UVA came from the broker user vu",
    ],
    [
      "a part with another's rows",
      "surf.gather",
      {
        ...{ party: "VU", step: "sql-query", hop: 1, chain: chainOf("VU", Role.DATA_PROVIDER, ["sql-query"]), gather },
        inputs: inputOf("UVA"),
      },
      "ENVELOPE_INVALID: a part of VU with what is UVA's came from the broker user vu",
    ],
  ])("puts aside %s, and runs no step for it", async (_, key, more, reason) => {
    await send("VU", key, Envelope.encode(envelope(more)).finish());
    expect(await deadLetters(1)).toMatchObject([{ id: "forged", queue: key, reason, sender: "vu" }]);
    expect(acted.calls).toEqual({});
    for (const sidecar of acted.world.sidecars.values()) expect(sidecar.status().openGathers).toBe(0);
  });

  it("puts aside what can't be read when its sender may not send there, and tells no asker", async () => {
    await send("VU", "uva.sql-query", new Uint8Array([255, 255, 255]));
    expect(await deadLetters(1)).toMatchObject([{ reason: expect.stringMatching(/came from the broker user vu$/) }]);
  });

  it("puts aside what the broker does not vouch for", async () => {
    const nameless = hub.connect({ party: "exchange" });
    const chain = chainOf("UVA", Role.DATA_PROVIDER, ["sql-query"]);
    await send(
      nameless,
      "uva.sql-query",
      Envelope.encode(envelope({ party: "UVA", step: "sql-query", chain })).finish(),
    );
    expect(await deadLetters(1)).toMatchObject([{ reason: expect.stringMatching(/does not vouch for$/) }]);
    await nameless.close();
  });

  it("goes on with a query that another than the exchange cancels, or answers in another's name", async () => {
    let letters: DeadLetter[] = [];
    acted.behaviours["UVA sql-query"] = async ({ queryId, replyTo }) => {
      await send("VU", cancelTopic, new Uint8Array(), { type: "control", queryId });
      const failure = { code: ErrorCode.INTERNAL, message: "forged", party: "UVA", step: "" };
      const content = { $case: "failure", value: failure } as const;
      const reply = Reply.create({ id: "r1", queryId, attempt: 1, party: "UVA", chain: "UVA", content });
      await send("VU", replyTo, Reply.encode(reply).finish(), { type: "reply", queryId });
      letters = await deadLetters(acted.world.sidecars.size + 1);
      return documentOf(Buffer.from("{}"));
    };
    const answer = await acted.world.ask({ sql: "SELECT 1", providers: ["UVA"] });
    expect(answer).toMatchObject({ status: 200, body: { results: [{ party: "UVA" }] } });
    const reasons = letters.map(({ reason }) => reason);
    const cancels = reasons.filter((reason) => reason === "ENVELOPE_INVALID: a cancel came from the broker user vu");
    expect(cancels).toHaveLength(acted.world.sidecars.size);
    expect(reasons).toContain("ENVELOPE_INVALID: a reply of UVA (failure) came from the broker user vu");
  });
});
