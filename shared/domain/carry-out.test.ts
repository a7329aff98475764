import { describe, expect, it } from "vitest";
import { Chain, Envelope, ErrorCode, HopRecord, type Outcome, Plan, Role } from "#contracts";
import { effectsOf } from "./carry-out.ts";
import { compare, fail, fanOut, forwardResult, refuse } from "./outcome.ts";

const terms = { archetypes: ["dataThroughTtp"], computeProviders: ["SURF"] };
const gather = Chain.fromPartial({
  id: "gather-SURF",
  party: "SURF",
  role: Role.COMPUTE_PROVIDER,
  archetype: "dataThroughTtp",
  steps: ["sql-aggregate"],
  providers: ["UVA", "VU"],
});
const chain = Chain.fromPartial({
  id: "UVA",
  party: "UVA",
  role: Role.DATA_PROVIDER,
  archetype: "dataThroughTtp",
  steps: ["sql-query", "sql-anonymize"],
  providers: ["UVA"],
  gatherAt: "gather-SURF",
});
const envelope = Envelope.fromPartial({
  queryId: "q1",
  party: "UVA",
  step: "sql-query",
  hop: 0,
  attempt: 1,
  deadlineMs: 1_000,
  approvals: [{ queryId: "q1", provider: "UVA", terms }],
  chain,
  gather,
  replyTo: "reply.exchange.1",
  inputs: [{ provider: "UVA" }],
  knowledge: { parties: [{ name: "UVA" }] },
});
const last = { ...envelope, hop: 1, step: "sql-anonymize" };
const record = HopRecord.fromPartial({ party: "UVA", step: "sql-query", chain: "UVA" });
const result: Outcome = forwardResult({
  table: { arrowIpc: Buffer.from("x"), rows: 1, transfer: undefined },
  chart: undefined,
  document: undefined,
});

describe("the effects of an outcome", () => {
  it("are the next step of the chain at the same party", () => {
    const [effect, ...rest] = effectsOf(envelope, result, record);
    expect(rest).toEqual([]);
    expect(effect).toMatchObject({ kind: "send", id: "q1/UVA/1/1", routingKey: "uva.sql-anonymize" });
  });

  it("never carry the attached knowledge on, and carry the record of the hop", () => {
    const [effect] = effectsOf(envelope, result, record);
    expect(effect?.kind === "send" && effect.envelope).toMatchObject({ knowledge: undefined, trail: [record] });
  });

  it("are one part for the gather where a provider's chain ends", () => {
    expect(effectsOf(last, result, record)).toMatchObject([
      { kind: "send", id: "q1/UVA/2/1", routingKey: "surf.gather", envelope: { inputs: [{ provider: "UVA" }] } },
    ]);
  });

  it("are a reply where nothing gathers", () => {
    const alone = { ...last, gather: undefined, chain: { ...chain, role: Role.ALL, gatherAt: "" } };
    expect(effectsOf(alone, result, record)).toMatchObject([
      { kind: "reply", routingKey: "reply.exchange.1", reply: { id: "q1/UVA/reply/1", content: { $case: "result" } } },
    ]);
  });

  it.each([
    ["no approval at all", { approvals: [] }, "no approval of UVA"],
    [
      "an approval of another query",
      { approvals: [{ ...envelope.approvals[0], queryId: "q2" }] },
      "no approval of UVA",
    ],
    ["another compute provider", { gather: { ...gather, party: "EVIL" } }, "does not allow EVIL"],
    ["another archetype", { chain: { ...chain, archetype: "computeToData" } }, "does not allow computeToData"],
    ["a chain that passes for one of control steps", { chain: { ...chain, id: "" } }, "control steps"],
    ["a chain of nobody's data", { chain: { ...chain, providers: [] } }, "what is of UVA"],
    ["data of others", { inputs: [{ provider: "VU" }] }, "what is of VU"],
    ["no gather where it is to be gathered", { gather: undefined }, "neither at home nor at its gather"],
    ["a gather of others", { gather: { ...gather, providers: ["VU"] } }, "neither at home nor at its gather"],
    ["a gather of another archetype", { gather: { ...gather, archetype: "" } }, "neither at home nor at its gather"],
    ["a gather of another chain", { gather: { ...gather, id: "gather-2" } }, "neither at home nor at its gather"],
    ["a gather that is none", { gather: { ...gather, role: Role.ALL } }, "neither at home nor at its gather"],
    ["a role that is none", { chain: { ...chain, role: Role.ALL } }, "neither at home nor at its gather"],
    ["the chain of another party", { chain: { ...chain, party: "VU" } }, "is not hop 1 of the chain of VU"],
    ["a step of another hop", { step: "sql-query" }, "is not hop 1 of the chain of UVA"],
  ])("let nothing leave with %s", (_, change, message) => {
    const effects = effectsOf({ ...last, ...change } as Envelope, result, record);
    expect(effects.map((effect) => effect.kind === "send" && effect.envelope.inputs[0]?.payload)).not.toContain(
      expect.anything(),
    );
    expect(effects.at(-1)).toMatchObject({
      reply: {
        content: { $case: "failure", value: { code: ErrorCode.DENIED, message: expect.stringContaining(message) } },
      },
    });
  });

  it("tell both the gather and the asker of a failure", () => {
    expect(effectsOf(envelope, fail(ErrorCode.SQL_INVALID, "no"), record)).toMatchObject([
      {
        kind: "send",
        routingKey: "surf.gather",
        envelope: { inputs: [{ provider: "UVA", failure: { code: ErrorCode.SQL_INVALID } }] },
      },
      { kind: "reply", reply: { content: { $case: "failure", value: { party: "UVA", step: "sql-query" } } } },
    ]);
  });

  it("are one bit for the asker where data is compared, and nothing for a gather", () => {
    const query = { id: "q1", reuse: { queryId: "q0", answeredAtMs: 1, data: [{ provider: "UVA", revision: "r" }] } };
    const asked = Envelope.fromPartial({ ...envelope, query } as Envelope);
    expect(effectsOf(asked, compare(true), record)).toMatchObject([
      { kind: "reply", reply: { content: { $case: "comparison", value: { unchanged: true } } } },
    ]);
    const content = { $case: "failure", value: { code: ErrorCode.DENIED } };
    expect(effectsOf(envelope, compare(true), record).at(-1)).toMatchObject({ kind: "reply", reply: { content } });
    const unapproved = { ...asked, approvals: [] };
    expect(effectsOf(unapproved, compare(true), record).at(-1)).toMatchObject({ kind: "reply", reply: { content } });
  });

  it("tell both of a refusal", () => {
    const refusal = refuse([{ code: ErrorCode.DENIED, clause: "x", message: "no" }]);
    expect(effectsOf(envelope, refusal, record).map(({ kind }) => kind)).toEqual(["send", "reply"]);
  });

  it("start chains for the control chain alone", () => {
    const plan = Plan.fromPartial({ queryId: "q1" });
    const control = { ...envelope, party: "exchange", chain: Chain.fromPartial({ id: "" }), gather: undefined };
    expect(effectsOf(control, fanOut(plan, [envelope, envelope]), record).map(({ kind }) => kind)).toEqual([
      "reply",
      "send",
      "send",
    ]);
    expect(effectsOf(envelope, fanOut(plan, [envelope]), record).at(-1)).toMatchObject({
      reply: { content: { $case: "failure", value: { code: ErrorCode.DENIED } } },
    });
  });

  it("name a step that decided nothing", () => {
    expect(effectsOf(last, { decision: undefined }, record).at(-1)).toMatchObject({
      reply: { content: { value: { code: ErrorCode.INTERNAL } } },
    });
  });

  it("have the same ids each time, so that a repeat is harmless", () => {
    const ids = () =>
      effectsOf(last, result, record).map((effect) => (effect.kind === "send" ? effect.id : effect.reply.id));
    expect(ids()).toEqual(ids());
  });
});
