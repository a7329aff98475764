import fc from "fast-check";
import { expect, it } from "vitest";
import { ColumnBuffer } from "#data/column-buffer";
import type { Cell, ColumnSpec } from "#data/column-kind";
import { exactTotal } from "./accumulators.ts";
import { compareCells, Groups } from "./group-rows.ts";
import { IntegerStore } from "./value-store.ts";

const specs: ColumnSpec[] = [
  { name: "text", kind: "text" },
  { name: "number", kind: "int64" },
  { name: "decimal", kind: "decimal", precision: 38, scale: 0 },
  { name: "double", kind: "double" },
  { name: "yes", kind: "boolean" },
];

const row = fc.tuple(
  fc.option(
    fc.constantFrom("", "M", "V", "é", "a text of more than sixty-four bytes, which are not kept by their bytes: é"),
  ),
  fc.option(fc.constantFrom(0n, 1n, -1n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, -(2n ** 63n))),
  fc.option(fc.constantFrom(0n, -1n, 2n ** 64n, 2n ** 64n + 1n, -(2n ** 100n))),
  fc.option(fc.constantFrom(0, 1.5, Number.NaN, Number.NEGATIVE_INFINITY)),
  fc.option(fc.boolean()),
);

function columnsOf(rows: readonly (readonly Cell[])[], count: number) {
  return specs.slice(0, count).map((spec, i) => {
    const buffer = new ColumnBuffer(spec);
    for (const cells of rows) buffer.push(cells[i] ?? null);
    return buffer.take();
  });
}

const textOf = (key: readonly Cell[]) => key.map((cell) => `${typeof cell}:${cell}`).join("|");

it("tells more texts apart than it keeps places for", () => {
  const texts = Array.from({ length: 3_000 }, (_, i) => [`text ${i}`]);
  const groups = new Groups([{ name: "text", kind: "text" }], () => ({ rows: 0 }));
  for (const batch of [texts, [...texts].reverse()]) {
    for (const place of groups.placesOf(columnsOf(batch, 1), batch.length)) {
      const kept = groups.kept[place];
      if (kept !== undefined) kept.rows += 1;
    }
  }
  const found = groups.sorted();
  expect(found.map(({ key }) => key[0]).sort()).toEqual(texts.flat().sort());
  expect(new Set(found.map(({ kept }) => kept.rows))).toEqual(new Set([2]));
});

it("puts rows together that have the same values, and no others, over any number of batches", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(row, { maxLength: 20 }), { maxLength: 4 }),
      fc.nat(specs.length),
      (batches, count) => {
        const groups = new Groups(specs.slice(0, count), () => ({ rows: 0 }));
        const expected = new Map<string, number>(count === 0 ? [["", 0]] : []);
        for (const rows of batches) {
          const places = groups.placesOf(columnsOf(rows, count), rows.length);
          for (const [i, cells] of rows.entries()) {
            const kept = groups.kept[places[i] ?? -1];
            if (kept !== undefined) kept.rows += 1;
            const key = textOf(cells.slice(0, count));
            expected.set(key, (expected.get(key) ?? 0) + 1);
          }
        }
        const found = groups.sorted().map(({ key, kept }) => [textOf(key), kept.rows] as const);
        expect(new Map(found)).toEqual(expected);
        expect(found).toHaveLength(expected.size);
        const firsts = groups.sorted().map(({ key }) => key[0] ?? null);
        expect(firsts).toEqual([...firsts].sort(compareCells));
      },
    ),
  );
});

const whole = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.maxSafeInteger(),
  fc.constantFrom(2 ** 53, -(2 ** 53)),
  fc.bigInt({ min: -(2n ** 120n), max: 2n ** 120n }),
);

it("adds whole numbers without losing one, however large their sum", () => {
  fc.assert(
    fc.property(fc.array(whole, { maxLength: 60 }), (values) => {
      const { add, total } = exactTotal();
      for (const value of values) add(value);
      expect(total()).toBe(values.reduce((sum: bigint, value) => sum + BigInt(value), 0n));
    }),
  );
});

it("keeps whole numbers of any size, and sorts them", () => {
  fc.assert(
    fc.property(fc.array(whole, { maxLength: 100 }), (values) => {
      const store = new IntegerStore();
      for (const value of values) store.push(value);
      const at = store.sorted();
      const sorted = values.map(BigInt).sort((a, b) => compareCells(a, b));
      expect(values.map((_, place) => at(place))).toEqual(sorted);
    }),
  );
});
