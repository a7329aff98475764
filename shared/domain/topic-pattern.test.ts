import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { regularExpressionOf, type TopicPattern } from "./topic-pattern.ts";

const fits = (key: string, ...patterns: TopicPattern[]) => new RegExp(regularExpressionOf(patterns)).test(key);

describe("topic patterns as regular expressions", () => {
  it("take one word for a star and the rest of the key for a hash", () => {
    expect(fits("uva.sql-query", { pattern: "uva.*" })).toBe(true);
    expect(fits("uva.sql-query.again", { pattern: "uva.*" })).toBe(false);
    expect(fits("uva.sql-query.again", { pattern: "uva.#" })).toBe(true);
    expect(fits("uva", { pattern: "uva.#" })).toBe(false);
  });

  it("take whole keys only, and a dot for a dot", () => {
    expect(fits("nuva.gather", { pattern: "uva.gather" })).toBe(false);
    expect(fits("uva.gather2", { pattern: "uva.gather" })).toBe(false);
    expect(fits("uvaxgather", { pattern: "uva.gather" })).toBe(false);
  });

  it("leave out the exceptions and nothing that begins with them", () => {
    expect(fits("uva.out", { pattern: "uva.#", except: ["uva.in", "uva.out"] })).toBe(false);
    expect(fits("uva.outer", { pattern: "uva.#", except: ["uva.in", "uva.out"] })).toBe(true);
  });

  it("fit nothing when there is none", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (key) => {
        expect(fits(key)).toBe(false);
      }),
    );
  });
});
