import fc from "fast-check";
import { expect, it } from "vitest";
import { ColumnBuffer } from "#data/column-buffer";
import type { ColumnSpec } from "#data/column-kind";
import { cellAt } from "#data/column-values";
import { widenedColumn } from "./widen-column.ts";

const whole = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -999n, max: 999n }));

it("a column that gets wider keeps each value, whatever its size and sign", () => {
  fc.assert(
    fc.property(fc.array(fc.option(whole), { maxLength: 40 }), fc.nat(19), (cells, scale) => {
      const from: ColumnSpec = { name: "n", kind: "int64" };
      const to: ColumnSpec = { name: "n", kind: "decimal", precision: 38, scale };
      const buffer = new ColumnBuffer(from);
      for (const cell of cells) buffer.push(cell);
      const cell = cellAt(widenedColumn(buffer.take(), from, to), to);
      expect(cells.map((_, row) => cell(row))).toEqual(
        cells.map((given) => (given === null ? null : BigInt.asIntN(128, given * 10n ** BigInt(scale)))),
      );
    }),
  );
});
