import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Envelope, Failure, Input, Payload } from "#contracts";
import { readEnvelopeHead } from "./envelope-head.ts";

const result = {
  table: { arrowIpc: Buffer.alloc(300, 7), rows: 3, transfer: undefined },
  chart: undefined,
  document: undefined,
};
const payload = fc.constantFrom<NonNullable<Payload["content"]> | undefined>(
  { $case: "result", value: result },
  { $case: "decision", value: { verdicts: [], approvals: [] } },
  { $case: "plan", value: { queryId: "q", attempt: 1, choices: [], chains: [], verdicts: [], loads: [] } },
  undefined,
);
const input = fc.oneof(
  fc
    .record({ provider: fc.string(), content: payload })
    .map(({ provider, content }) => Input.fromPartial({ provider, payload: Payload.fromPartial({ content }) })),
  fc.string().map((provider) => Input.fromPartial({ provider, failure: Failure.fromPartial({ message: "no" }) })),
);
const envelope = fc
  .record({
    queryId: fc.string(),
    party: fc.string(),
    step: fc.string(),
    hop: fc.nat(),
    deadlineMs: fc.maxSafeNat(),
    inputs: fc.array(input, { maxLength: 4 }),
    query: fc.record({ sql: fc.string(), options: fc.dictionary(fc.string(), fc.boolean()) }),
  })
  .map((fields) => Envelope.fromPartial(fields));

describe("the head of an envelope", () => {
  it("says what the whole envelope says", () => {
    fc.assert(
      fc.property(envelope, (whole) => {
        expect(readEnvelopeHead(Envelope.encode(whole).finish())).toEqual({
          step: whole.step,
          deadlineMs: whole.deadlineMs,
          inputs: whole.inputs.map(({ payload, failure }) =>
            failure === undefined ? (payload?.content?.$case ?? "nothing") : "failure",
          ),
        });
      }),
    );
  });

  it("is never read out of what the contracts can't read", () => {
    fc.assert(
      fc.property(envelope, fc.nat(), (whole, cut) => {
        const bytes = Envelope.encode(whole).finish();
        const part = bytes.subarray(0, cut % (bytes.length + 1));
        const decodes = () => Envelope.decode(part);
        if (canDo(decodes)) expect(() => readEnvelopeHead(part)).not.toThrow();
      }),
    );
    expect(() => readEnvelopeHead(Buffer.from("not an envelope"))).toThrow();
  });
});

function canDo(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}
