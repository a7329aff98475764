import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { doubleSum, nearestDouble, roundedText } from "./exact.ts";

describe("exact", () => {
  it("divides as the processor does where that is exact to the last bit", () => {
    const whole = fc.integer({ min: -(2 ** 40), max: 2 ** 40 });
    fc.assert(
      fc.property(whole, fc.integer({ min: 1, max: 2 ** 40 }), (a, b) => {
        expect(nearestDouble(BigInt(a), BigInt(b))).toBe(a / b + 0);
      }),
    );
  });

  it("rounds a tie to the even double, and what is above it up", () => {
    const tie = 2n ** 53n + 1n;
    expect(nearestDouble(tie, 1n)).toBe(2 ** 53);
    expect(nearestDouble(tie * 10n ** 30n + 1n, 10n ** 30n)).toBe(2 ** 53 + 2);
  });

  it("writes fractions rounded half away from zero", () => {
    expect([roundedText(1n, 16n, 3), roundedText(-1n, 16n, 3), roundedText(2n, 3n, 3)]).toEqual([
      "0.063",
      "-0.063",
      "0.667",
    ]);
    expect(roundedText(-1n, 10_000n, 3)).toBe("0.000");
    expect(roundedText(23_753n, 2n, 3)).toBe("11876.500");
  });

  it("sums doubles the same in any order", () => {
    const doubles = fc.array(fc.double({ noNaN: true, min: -1e200, max: 1e200 }), { maxLength: 40 });
    fc.assert(
      fc.property(doubles, fc.integer({ min: 0, max: 39 }), (values, cut) => {
        const turned = [...values.slice(cut), ...values.slice(0, cut)].reverse();
        expect(doubleSum(turned)).toBe(doubleSum(values));
      }),
    );
    expect(doubleSum([1e100, 1, -1e100])).toBe(1);
    expect(doubleSum(new Array(10).fill(0.1))).toBe(1);
  });

  it("lets what is not finite show", () => {
    expect(doubleSum([1, Number.POSITIVE_INFINITY])).toBe(Number.POSITIVE_INFINITY);
    expect(doubleSum([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY])).toBeNaN();
  });
});
