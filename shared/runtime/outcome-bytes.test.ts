import { describe, expect, it } from "vitest";
import { ErrorCode, type Failure, Outcome, type Reason } from "#contracts";
import { compare, fail, fanOut, forwardResult, refuse } from "#domain/outcome";
import { errorTable } from "#errors";
import { encodeFailure, statusOf } from "./outcome-bytes.ts";

const encoded = (outcome: Outcome) => Outcome.encode(outcome).finish();
const reason = (code: ErrorCode): Reason => ({ code, clause: "relations", message: "no" });
const codes = Object.keys(errorTable).map(Number) as ErrorCode[];

type Decision = NonNullable<Outcome["decision"]>["$case"];

/** Of every kind that the contracts have: a new one does not compile without a line here. */
const goingOn: Readonly<Record<Exclude<Decision, "refusal" | "failure">, Outcome>> = {
  forward: forwardResult({ table: undefined, chart: undefined, document: undefined }),
  fanOut: fanOut({ queryId: "q", attempt: 1, choices: [], chains: [], verdicts: [], loads: [] }, []),
  // Without a field that is set it has no bytes.
  comparison: compare(false),
};

describe("the status of an outcome", () => {
  it.each(Object.entries(goingOn))("is 200 for what goes on: %s", (_, outcome) => {
    expect(statusOf(encoded(outcome))).toBe(200);
  });

  it.each(codes)("is the table's for a failure and a refusal with code %i", (code) => {
    const { httpStatus } = errorTable[code as keyof typeof errorTable];
    expect(statusOf(encoded(fail(code, "it failed")))).toBe(httpStatus);
    expect(statusOf(encoded(refuse([reason(code), reason(ErrorCode.RATE_LIMITED)])))).toBe(httpStatus);
  });

  it("is that of DENIED for a refusal without a reason", () => {
    expect(statusOf(encoded(refuse([])))).toBe(403);
  });

  it("does not exist for what is no outcome", () => {
    expect(() => statusOf(new Uint8Array(0))).toThrow("without a decision");
    expect(() => statusOf(Buffer.from("hello"))).toThrow();
  });
});

describe("a failure's outcome", () => {
  it("is what the contracts make of it", () => {
    const failure: Failure = { code: ErrorCode.OVERLOADED, message: "too much", party: "UVA", step: "sql-query" };
    expect(Outcome.decode(encodeFailure(failure)).decision).toEqual({ $case: "failure", value: failure });
  });
});
