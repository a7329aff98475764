import fc from "fast-check";
import { expect, it } from "vitest";
import { ColumnBuffer } from "#data/column-buffer";
import type { Cell, ColumnSpec } from "#data/column-kind";
import { yearColumn } from "./year-of.ts";

/** The rule in the words of a pattern. */
const date =
  /^(?:([0-9]{4})|([0-9]{4})(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])|([0-9]{4})-[0-9]{2}-[0-9]{2}(?:[T ].*)?)$/s;

function yearOfRule(text: string): number | null {
  const found = date.exec(text);
  return found === null ? null : Number(found[1] ?? found[2] ?? found[3]);
}

function yearOf(spec: Omit<ColumnSpec, "name">, cell: Cell): number | null | undefined {
  const named = { ...spec, name: "c" };
  const buffer = new ColumnBuffer(named);
  buffer.push(cell);
  return yearColumn(named)?.yearAt(buffer.take())(0);
}

const digit = fc.constantFrom(..."0123456789012301-T é");
const almostDate = fc
  .tuple(fc.date({ noInvalidDate: true }), fc.constantFrom(4, 8, 10, 19), fc.array(digit, { maxLength: 3 }))
  .map(
    ([day, length, more]) =>
      day
        .toISOString()
        .replaceAll(length === 8 ? "-" : "_", "")
        .slice(0, length) + more.join(""),
  );

it("finds the year of every text that is a date, and none in others", () => {
  const text = fc.oneof(
    almostDate,
    fc.array(digit, { maxLength: 12 }).map((all) => all.join("")),
  );
  fc.assert(
    fc.property(text, (given) => {
      expect(yearOf({ kind: "text" }, given)).toBe(yearOfRule(given));
    }),
    { numRuns: 2_000 },
  );
});

it("finds the year of every whole number that is a date, and none in others", () => {
  const number = fc.oneof(
    fc.integer({ min: 10_000_000, max: 99_999_999 }),
    fc.integer({ min: -9_999, max: 20_000 }),
    fc.maxSafeInteger(),
  );
  fc.assert(
    fc.property(number, (given) => {
      const year = /^[1-9]/.test(String(given)) ? yearOfRule(String(given)) : null;
      expect(yearOf({ kind: "int64" }, BigInt(given))).toBe(year);
      expect(yearOf({ kind: "decimal", precision: 38, scale: 0 }, BigInt(given))).toBe(year);
    }),
    { numRuns: 2_000 },
  );
  expect(yearOf({ kind: "int64" }, 2n ** 62n)).toBeNull();
});
