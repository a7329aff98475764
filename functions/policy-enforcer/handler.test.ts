import { describe, expect, it } from "vitest";
import { approvalError } from "#approval/verify";
import { Envelope, ErrorCode } from "#contracts";
import { approvalEnvironment, testApprovalKeys } from "#testing/approval-keys";
import { callStep } from "#testing/call-step";
import { type QueryChange, researcher, wageGapKnowledge, wageGapQuery } from "#testing/wage-gap-knowledge";
import step from "./handler.ts";

const context = { environment: approvalEnvironment, now: () => 5, temporaryFolder: "" };

async function run(change: QueryChange, knowledge = wageGapKnowledge()) {
  const envelope = Envelope.fromPartial({ queryId: "q1", deadlineMs: 99, query: wageGapQuery(change), knowledge });
  return (await callStep(step, envelope, context)).decision;
}

describe("policy-enforcer", () => {
  it("forwards a verdict for each provider asked and an approval for each allowed", async () => {
    const decision = await run({ providers: ["VU", "RUG", "UVA", "VU", "Atlantis"] });
    expect(decision).toMatchObject({
      $case: "forward",
      value: {
        payload: {
          content: {
            $case: "decision",
            value: {
              verdicts: [
                { provider: "Atlantis", decision: { $case: "refusal" } },
                { provider: "RUG", decision: { $case: "refusal" } },
                { provider: "UVA", decision: { $case: "terms" } },
                { provider: "VU", decision: { $case: "terms" } },
              ],
              approvals: [
                { provider: "UVA", queryId: "q1", expiresAtMs: 99 },
                { provider: "VU", queryId: "q1", expiresAtMs: 99 },
              ],
            },
          },
        },
      },
    });
  });

  it("refuses with every reason of everybody when nobody may be asked", async () => {
    expect(await run({ providers: ["RUG", "Atlantis"] })).toEqual({
      $case: "refusal",
      value: {
        reasons: [
          { code: ErrorCode.UNKNOWN_PROVIDER, clause: "Atlantis", message: "there is no provider named Atlantis" },
          {
            code: ErrorCode.DENIED,
            clause: `RUG.relations["${researcher}"]`,
            message: `RUG has no agreement with ${researcher}`,
          },
        ],
      },
    });
  });

  it.each([[[]], [Array.from({ length: 65 }, (_, index) => `P${index}`)]])(
    "refuses a query of too few or too many providers",
    async (providers) => {
      expect(await run({ providers })).toMatchObject({
        $case: "refusal",
        value: { reasons: [{ code: ErrorCode.INVALID_REQUEST }] },
      });
    },
  );

  it.each(["query", "knowledge"])("fails by name when the envelope has no %s", async (field) => {
    const envelope = Envelope.fromPartial({ query: wageGapQuery(), knowledge: wageGapKnowledge() });
    await expect(callStep(step, { ...envelope, [field]: undefined }, context)).rejects.toMatchObject({
      code: ErrorCode.ENVELOPE_INVALID,
      message: `the envelope has no ${field}`,
    });
  });

  it("signs each approval for the query, its asker and its time", async () => {
    const query = wageGapQuery();
    const message = { queryId: query.id, query, replyTo: "reply.exchange.one", attempt: 2, deadlineMs: 99 };
    const envelope = Envelope.fromPartial({ ...message, knowledge: wageGapKnowledge() } as Envelope);
    const { decision } = await callStep(step, envelope, context);
    const content = decision?.$case === "forward" ? decision.value.payload?.content : undefined;
    const approvals = content?.$case === "decision" ? content.value.approvals : [];
    expect(approvals).toMatchObject([
      { provider: "UVA", issuedAtMs: 5, expiresAtMs: 99 },
      { provider: "VU", issuedAtMs: 5, expiresAtMs: 99 },
    ]);
    for (const approval of approvals) {
      expect(approvalError(approval, message, { keys: testApprovalKeys, nowMs: 6 })).toBeUndefined();
    }
  });

  it.each(["approval_key_file", "no such variable"])("does not start without its key: %s", async (name) => {
    const environment = { [name]: "/nowhere/approval-key" };
    await expect(step.rehearse?.({ ...context, environment })).rejects.toThrow(
      /^the key that signs approvals, .+approval-key, can't be read \(ENOENT\)$/,
    );
  });

  it("rehearses without a failure", async () => {
    await expect(step.rehearse?.(context)).resolves.toBeUndefined();
  });
});
