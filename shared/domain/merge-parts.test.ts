import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Chain, Envelope } from "#contracts";
import { mergeParts } from "./merge-parts.ts";

const gather = Chain.fromPartial({ id: "gather-SURF", party: "SURF", steps: ["sql-aggregate", "sql-algorithm"] });
const part = (party: string) =>
  Envelope.fromPartial({
    queryId: "q1",
    party,
    inputs: [{ provider: party }],
    approvals: [{ provider: party }],
    knowledge: {},
  });

describe("merged parts", () => {
  it("begin the compute provider's chain with one input and one approval per provider", () => {
    const merged = mergeParts(gather, [part("VU"), part("UVA")]);
    expect(merged).toMatchObject({
      party: "SURF",
      step: "sql-aggregate",
      hop: 0,
      gather: undefined,
      knowledge: undefined,
    });
    expect(merged.inputs.map(({ provider }) => provider)).toEqual(["UVA", "VU"]);
    expect(merged.approvals.map(({ provider }) => provider)).toEqual(["UVA", "VU"]);
  });

  it("are the same in whatever order the parts came", () => {
    const parts = ["A", "B", "C", "D"].map(part);
    fc.assert(
      fc.property(fc.shuffledSubarray(parts, { minLength: 4 }), (shuffled) => {
        expect(mergeParts(gather, shuffled)).toEqual(mergeParts(gather, parts));
      }),
    );
  });

  it("of nothing are a defect", () => {
    expect(() => mergeParts(gather, [])).toThrow(RangeError);
  });
});
