import { describe, expect, it } from "vitest";
import { type Decision, Envelope, ErrorCode, Outcome, type Query } from "#contracts";
import { approvalsOf, evaluate } from "#domain/policy";
import { callStep } from "#testing/call-step";
import { setOnline, wageGapKnowledge, wageGapQuery } from "#testing/wage-gap-knowledge";
import step from "./handler.ts";

const context = { environment: {}, now: () => 5, temporaryFolder: "" };

function decide(query: Query, knowledge = wageGapKnowledge()): Decision {
  const verdicts = query.providers.map((provider) => evaluate(query, provider, knowledge, 5));
  return { verdicts, approvals: approvalsOf(query, verdicts, 99) };
}

async function run(query: Query, knowledge = wageGapKnowledge()) {
  const content = { $case: "decision" as const, value: decide(query, knowledge) };
  const input = { provider: "", payload: { content }, failure: undefined };
  const envelope: Envelope = { ...Envelope.create(), queryId: query.id, attempt: 1, query, knowledge, inputs: [input] };
  const outcome = await callStep(step, envelope, context);
  // As it travels: what protobuf can't hold is lost here.
  return Outcome.decode(Outcome.encode(outcome).finish()).decision;
}

describe("archetype-selector", () => {
  it("fans out one envelope for each provider that takes part, and the plan", async () => {
    const decision = await run(wageGapQuery({ providers: ["VU", "UVA", "RUG"], options: { aggregate: true } }));
    expect(decision).toMatchObject({
      $case: "fanOut",
      value: {
        plan: {
          queryId: "q1",
          attempt: 1,
          chains: [{ id: "UVA" }, { id: "VU" }, { id: "gather-SURF" }],
          verdicts: [{ provider: "RUG" }, { provider: "UVA" }, { provider: "VU" }],
        },
        envelopes: [
          { party: "UVA", step: "sql-query", hop: 0, approvals: [{ provider: "UVA" }], gather: { id: "gather-SURF" } },
          { party: "VU", step: "sql-query", hop: 0, approvals: [{ provider: "VU" }], gather: { id: "gather-SURF" } },
        ],
      },
    });
  });

  it("refuses when nobody is online", async () => {
    const knowledge = wageGapKnowledge();
    setOnline(knowledge, "UVA", false);
    expect(await run(wageGapQuery({ providers: ["UVA"] }), knowledge)).toEqual({
      $case: "refusal",
      value: { reasons: [{ code: ErrorCode.PROVIDER_OFFLINE, clause: "UVA", message: "UVA is offline" }] },
    });
  });

  it("fails by name when the envelope holds no decision", async () => {
    const envelope = Envelope.fromPartial({ query: wageGapQuery(), knowledge: wageGapKnowledge() });
    await expect(callStep(step, envelope, context)).rejects.toMatchObject({
      code: ErrorCode.ENVELOPE_INVALID,
      message: "the envelope has no decision",
    });
  });

  it("rehearses without a failure", async () => {
    await expect(step.rehearse?.(context)).resolves.toBeUndefined();
  });
});
