import { describe, expect, it } from "vitest";
import { Envelope, ErrorCode, type Reply, Reply as ReplyMessage, type Result, Role } from "#contracts";
import { transferName } from "./route.ts";
import { createSenderCheck } from "./sender-check.ts";

const check = createSenderCheck("exchange");

const chain = (party: string, role = Role.DATA_PROVIDER, id = party) => ({
  id,
  party,
  role,
  archetype: "dataThroughTtp",
  steps: ["sql-query", "sql-anonymize"],
  providers: [party],
  gatherAt: "",
});

const envelope = (more: Partial<Envelope> = {}): Envelope => ({
  ...Envelope.fromPartial({ queryId: "q1", party: "UVA", step: "sql-query", hop: 0, attempt: 1 }),
  chain: chain("UVA"),
  ...more,
});

const table = (name: string): Result => ({
  table: {
    arrowIpc: new Uint8Array() as Buffer,
    rows: 1,
    transfer: { name, chunks: 1, bytes: 1, sha256: new Uint8Array() as Buffer },
  },
  chart: undefined,
  document: undefined,
});

const input = (provider: string, transfer?: string) => ({
  provider,
  payload: transfer === undefined ? undefined : { content: { $case: "result" as const, value: table(transfer) } },
  failure: undefined,
});

const approval = (provider: string) => ({
  queryId: "q1",
  user: undefined,
  provider,
  terms: undefined,
  expiresAtMs: 0,
  jws: "",
  querySha256: "",
  issuedAtMs: 0,
  replyTo: "",
  attempt: 0,
});

const reply = (party: string, content: Reply["content"]): Reply => ({
  ...ReplyMessage.fromPartial({ id: "r1", queryId: "q1", attempt: 1, party, chain: party }),
  content,
});

const failure = {
  $case: "failure",
  value: { code: ErrorCode.INTERNAL, message: "x", party: "UVA", step: "s" },
} as const;
const result = { $case: "result", value: table(transferName("UVA", "exchange", "1")) } as const;
const plan: Reply["content"] = {
  $case: "plan",
  value: { queryId: "q1", attempt: 1, choices: [], chains: [], verdicts: [], loads: [] },
};

describe("a hop", () => {
  it("comes from the exchange when it starts a chain", () => {
    expect(check.hop({ sender: "exchange" }, envelope())).toBeUndefined();
  });

  it("comes from the party itself afterwards, and from nobody else", () => {
    const second = envelope({ hop: 1, step: "sql-anonymize" });
    expect(check.hop({ sender: "uva" }, second)).toBeUndefined();
    expect(check.hop({ sender: "exchange" }, second)?.message).toBe(
      "hop 1 (sql-anonymize) of UVA came from the broker user exchange",
    );
    expect(check.hop({ sender: "vu" }, second)).toBeDefined();
  });

  it("is refused from another party, also as the first of a chain", () => {
    expect(check.hop({ sender: "vu" }, envelope())).toMatchObject({ label: "ENVELOPE_INVALID" });
  });

  it("is refused from a sender whom the broker does not vouch for", () => {
    expect(check.hop({}, envelope())?.message).toBe(
      "hop 0 (sql-query) of UVA came from a sender whom the broker does not vouch for",
    );
    expect(check.hop({ sender: "" }, envelope({ party: "" }))).toBeDefined();
  });

  it("of a compute provider comes from itself: its gather makes it, not the exchange", () => {
    const merged = envelope({ party: "SURF", chain: chain("SURF", Role.COMPUTE_PROVIDER, "gather-SURF") });
    expect(check.hop({ sender: "surf" }, merged)).toBeUndefined();
    expect(check.hop({ sender: "exchange" }, merged)).toBeDefined();
  });

  it("is refused from the exchange when it brings a table along or a chain of another party", () => {
    const laden = envelope({ inputs: [input("UVA", transferName("VU", "UVA", "1"))] });
    expect(check.hop({ sender: "exchange" }, laden)).toBeDefined();
    expect(check.hop({ sender: "exchange" }, envelope({ chain: chain("VU") }))).toBeDefined();
  });
});

describe("a part of a gather", () => {
  const part = envelope({
    hop: 2,
    inputs: [input("UVA", transferName("UVA", "SURF", "1"))],
    approvals: [approval("UVA")],
  });

  it("comes from the provider that it is of", () => {
    expect(check.part({ sender: "uva" }, part)).toBeUndefined();
  });

  it.each(["vu", "surf", "exchange", undefined])("is refused from %s", (sender) => {
    expect(check.part(sender === undefined ? {} : { sender }, part)).toMatchObject({ label: "ENVELOPE_INVALID" });
  });

  it.each([
    ["rows", { inputs: [input("VU")] }],
    ["a table", { inputs: [input("UVA", transferName("VU", "SURF", "1"))] }],
    ["an approval", { approvals: [approval("VU")] }],
  ])("is refused with %s of another provider inside", (_, more) => {
    expect(check.part({ sender: "uva" }, { ...part, ...more })?.message).toMatch(
      /^a part of UVA with what is (VU|vu)'s/,
    );
  });
});

describe("a reply", () => {
  it("comes from the party that the chain ran at", () => {
    expect(check.reply({ sender: "uva" }, reply("UVA", result))).toBeUndefined();
    expect(check.reply({ sender: "uva" }, reply("UVA", failure))).toBeUndefined();
    expect(check.reply({ sender: "vu" }, reply("UVA", failure))).toBeDefined();
  });

  it("comes from the exchange when nothing could be started there, but no result does", () => {
    expect(check.reply({ sender: "exchange" }, reply("UVA", failure))).toBeUndefined();
    expect(check.reply({ sender: "exchange" }, reply("UVA", result))).toBeDefined();
  });

  it("with the plan comes from the exchange alone", () => {
    expect(check.reply({ sender: "exchange" }, reply("exchange", plan))).toBeUndefined();
    expect(check.reply({ sender: "uva" }, reply("UVA", plan))).toBeDefined();
  });

  it("is refused when its table is another party's", () => {
    expect(check.reply({ sender: "vu" }, reply("VU", result))?.message).toBe(
      "a reply of VU with a table of uva came from the broker user vu",
    );
  });
});

describe("a cancel", () => {
  it("comes from the exchange alone", () => {
    expect(check.cancel({ sender: "exchange" })).toBeUndefined();
    expect(check.cancel({ sender: "uva" })?.message).toBe("a cancel came from the broker user uva");
    expect(check.cancel({})).toBeDefined();
  });
});
