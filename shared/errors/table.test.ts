import { describe, expect, it } from "vitest";
import { ErrorCode } from "#contracts";
import { DynamosError, errorTable, labelOf, rowOf, toDynamosError } from "./index.ts";

const codes = Object.values(ErrorCode).filter((code): code is ErrorCode => typeof code === "number" && code >= 0);

describe("the error table", () => {
  it("has a row for every code, with an error status", () => {
    for (const code of codes) {
      expect(rowOf(code).httpStatus).toBeGreaterThanOrEqual(400);
      expect(rowOf(code).title).not.toBe("");
    }
    expect(Object.keys(errorTable)).toHaveLength(codes.length);
  });

  it("labels each code by its name in the contract", () => {
    for (const code of codes.filter((one) => one !== ErrorCode.UNSPECIFIED))
      expect(labelOf(code)).toBe(ErrorCode[code]);
  });

  it("takes a code that this build does not know for an internal error", () => {
    expect(rowOf(9_999 as ErrorCode)).toBe(errorTable[ErrorCode.INTERNAL]);
  });
});

describe("a foreign error", () => {
  it("keeps its own words for the log and shows none of them", () => {
    const known = toDynamosError(new Error("secret path"));
    expect(known.message).not.toContain("secret");
    expect(known.cause).toBeInstanceOf(Error);
  });

  it("passes through when it is ours", () => {
    const ours = new DynamosError(ErrorCode.DENIED, "no");
    expect(toDynamosError(ours)).toBe(ours);
    expect(DynamosError.fromFailure(ours.toFailure({ party: "UVA" }))).toMatchObject({
      party: "UVA",
      code: ErrorCode.DENIED,
    });
  });
});
