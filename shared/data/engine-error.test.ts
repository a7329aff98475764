import { describe, expect, it } from "vitest";
import { ErrorCode } from "#contracts";
import { engineError } from "./engine-error.ts";
import { shorten } from "./shorten.ts";

const columns = new Map([["Personen", ["Unieknr", "Geslacht"]]]);
const told = (text: string) => engineError(new Error(text), columns);

describe("an error of the engine", () => {
  it.each([
    [
      "Binder Error: QUANTILE requires a range argument between [0, 1]",
      "QUANTILE requires a range argument between [0, 1]",
    ],
    ["Binder Error: LIMIT/OFFSET cannot be negative\n\nLINE 1: x", "LIMIT/OFFSET cannot be negative"],
    ["Binder Error: WHERE clause cannot contain aggregates!", "WHERE clause cannot contain aggregates"],
    ["Binder Error: Subquery returns 2 columns - expected 1", "subquery returns 2 columns - expected 1"],
    ["Parser Error: A window is needed.", "a window is needed"],
    [
      'Parser Error: Max expression depth limit of 1000 exceeded. Use "SET max_expression_depth TO x" to increase the maximum expression depth.',
      "max expression depth limit of 1000 exceeded",
    ],
    [
      'Binder Error: Ambiguous reference to table "memory.main.P" (duplicate alias "memory.main.P", explicitly alias one of the tables using "AS my_alias")',
      'ambiguous reference to table "P" (duplicate alias "P", explicitly alias one of the tables using "AS my_alias")',
    ],
    ['Catalog Error: Type with name FOO does not exist!\nDid you mean "JSON"?', "type with name FOO does not exist"],
    [
      'Catalog Error: Scalar Function with name lag does not exist!\nDid you mean "log"?',
      "there is no function lag without OVER (…)",
    ],
    [
      "Conversion Error: Could not convert string 'Zoë' to INT32",
      "a value can't be converted to the type that the query asks for: use TRY_CAST",
    ],
  ])("%s", (text, message) => {
    expect(told(text)).toMatchObject({ code: ErrorCode.SQL_INVALID, message });
  });

  it("is cut where a word ends", () => {
    const { message } = told(`Binder Error: No function matches ${"'some_name(INTEGER)' ".repeat(40)}`);
    expect(message.length).toBeLessThanOrEqual(301);
    expect(message).toMatch(/^no function matches .*'some_name\(INTEGER\)'…$/);
  });
});

describe("shorten", () => {
  it("cuts at a word, at a comma, or within a word that is too long", () => {
    expect(shorten("STRUCT(a INTEGER, b INTEGER)", 18)).toBe("STRUCT(a INTEGER…");
    expect(shorten("short", 5)).toBe("short");
    expect(shorten("x".repeat(70))).toBe(`${"x".repeat(64)}…`);
  });
});
