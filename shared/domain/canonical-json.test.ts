import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "./canonical-json.ts";

describe("canonicalJson", () => {
  it("sorts keys by code unit at every depth, and has no space", () => {
    expect(canonicalJson({ b: 1, a: { d: [true, null], c: "x" }, "€": 2, A: 3 })).toBe(
      '{"A":3,"a":{"c":"x","d":[true,null]},"b":1,"€":2}',
    );
  });

  it("has nothing for a member that is undefined and null for an item that is", () => {
    expect(canonicalJson({ a: undefined, b: [undefined, 1] })).toBe('{"b":[null,1]}');
  });

  it("writes integers beyond 2^53 exactly when they come as bigint", () => {
    expect(canonicalJson({ n: 9_007_199_254_740_993n })).toBe('{"n":"9007199254740993"}');
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, () => 1, Symbol("s"), undefined])("refuses %s", (value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
  });

  it("reads back as the same value, and differs for each other one", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const [first, second] = [a, b].map((value) => JSON.parse(JSON.stringify(value)) as unknown);
        expect(JSON.parse(canonicalJson(first))).toEqual(first);
        expect(canonicalJson(first) === canonicalJson(second)).toBe(sameData(first, second));
      }),
    );
  });

  it("does not depend on the order of keys", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const reversed = Object.fromEntries(Object.entries(object).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(object));
      }),
    );
  });
});

function sameData(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => sameData(item, b[i]));
  }
  if (typeof a === "object" && typeof b === "object" && a !== null && b !== null) {
    const [mine, theirs] = [Object.entries(a), new Map<string, unknown>(Object.entries(b))];
    return (
      mine.length === theirs.size && mine.every(([key, value]) => theirs.has(key) && sameData(value, theirs.get(key)))
    );
  }
  return a === b;
}
