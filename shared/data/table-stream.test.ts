import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Table } from "#contracts";
import { limits } from "#domain/limits";
import { openStream } from "./arrow-stream.ts";
import type { Cell, ColumnSpec } from "./column-kind.ts";
import { passTable } from "./pass-table.ts";
import { rowBatches } from "./row-batches.ts";
import { tableSink } from "./table-sink.ts";
import { sourceOf, tableSource, wholeTable } from "./table-source.ts";
import { viewTable } from "./table-view.ts";

const specs: ColumnSpec[] = [
  { name: "id", kind: "int64", title: "Number" },
  { name: "name", kind: "text" },
  { name: "nothing", kind: "date" },
];

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function written(rows: readonly (readonly Cell[])[]): Promise<{ table: Table; emitted: Buffer }> {
  const parts: Uint8Array[] = [];
  const batches = rowBatches(specs);
  const sink = tableSink(batches.schema, async (bytes) => void parts.push(bytes));
  for (const row of rows) {
    const full = batches.push(row);
    if (full !== undefined) await sink.write(full);
  }
  const rest = batches.rest();
  if (rest !== undefined) await sink.write(rest);
  return { table: await sink.finish({ remarks: ["said last"] }), emitted: Buffer.concat(parts) };
}

const made = (count: number): Cell[][] => Array.from({ length: count }, (_, i) => [BigInt(i), `name ${i} 🙂`, null]);

async function cellsOf(table: Table, emitted: Buffer, size = 4_099): Promise<Cell[][]> {
  const source = tableSource(table, cut(table.transfer === undefined ? table.arrowIpc : emitted, size));
  const { rows, columns } = viewTable(await wholeTable(source, "a test"));
  return Array.from({ length: rows }, (_, i) => columns.map(({ cells }) => cells[i] ?? null));
}

describe("a table between steps", () => {
  it("is inside the outcome while it is small, with what was found out last", async () => {
    const { table, emitted } = await written(made(100));
    expect(emitted).toHaveLength(0);
    expect(table).toMatchObject({ rows: 100, transfer: undefined });
    expect(sourceOf(table).notes.remarks).toEqual(["said last"]);
    expect(await cellsOf(table, emitted)).toEqual(made(100));
  });

  it("goes ahead of the outcome once it is not, which then says what its columns are", async () => {
    const rows = made(40_000);
    const { table, emitted } = await written(rows);
    expect(table).toMatchObject({ rows: 40_000, transfer: { name: "" } });
    expect(table.arrowIpc.length).toBeLessThan(2_000);
    const source = tableSource(table, cut(emitted, 65_536));
    expect(source.specs).toMatchObject([{ title: "Number" }, { name: "name" }, { empty: "true" }]);
    expect(source.notes.remarks).toEqual(["said last"]);
    expect(await cellsOf(table, emitted)).toEqual(rows);
  });

  it("comes out as it went in, whatever its size and wherever its bytes are cut", async () => {
    const cell = [fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.string({ maxLength: 30 })] as const;
    const row = fc.tuple(fc.option(cell[0]), fc.option(cell[1])).map(([id, name]) => [id, name, null] as Cell[]);
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 60 }), fc.integer({ min: 1, max: 900 }), async (rows, size) => {
        const many = rows.length > 50 ? Array.from({ length: 400 }, () => rows).flat() : rows;
        const { table, emitted } = await written(many);
        expect(await cellsOf(table, emitted, size * (many.length > 60 ? 1_000 : 1))).toEqual(many);
      }),
      { numRuns: 40 },
    );
  });

  it("has batches of at most about a megabyte, however long its texts are", async () => {
    const batches = rowBatches([{ name: "text", kind: "text" }]);
    const sizes: number[] = [];
    for (let i = 0; i < 20_000; i++) {
      const full = batches.push(["x".repeat(1_000)]);
      if (full !== undefined) sizes.push(full.data.byteLength);
    }
    expect(sizes.length).toBeGreaterThan(10);
    expect(Math.max(...sizes)).toBeLessThan(2_000_000);
  });

  it("that breaks off, or is short of rows, is an error and never a shorter table", async () => {
    const { table, emitted } = await written(made(40_000));
    const short = { ...table, rows: 40_001 };
    await expect(cellsOf(short, emitted)).rejects.toMatchObject({ label: "ENVELOPE_INVALID" });
    const read = cellsOf(table, emitted.subarray(0, emitted.length / 2));
    await expect(read).rejects.toMatchObject({ label: "ENVELOPE_INVALID" });
  });

  it("goes on byte for byte where nobody reads it", async () => {
    const { table, emitted } = await written(made(40_000));
    const parts: Uint8Array[] = [];
    const emit = async (bytes: Uint8Array) => void parts.push(bytes);
    const passed = await passTable(table, tableSource(table, cut(emitted, 65_536)), emit);
    expect(Buffer.concat(parts).equals(emitted)).toBe(true);
    expect(passed).toEqual(table);
    const [small] = [await written(made(3))].map((one) => one.table);
    expect(small && (await passTable(small, sourceOf(small), emit))).toBe(small);
  });

  it("of other bytes than Arrow's is an error by name", async () => {
    const { table } = await written(made(40_000));
    await expect(cellsOf(table, Buffer.alloc(70_000, 7))).rejects.toMatchObject({ label: "ENVELOPE_INVALID" });
    expect(() => openStream({ ...table, arrowIpc: Buffer.from("no") })).toThrow("not an Arrow IPC stream");
  });

  it("that a step must hold whole may not be too large for it", async () => {
    const { table, emitted } = await written(made(40_000));
    const source = tableSource(table, cut(emitted, 65_536));
    const large = {
      ...source,
      batches: async function* () {
        for await (const batch of source.batches()) for (let i = 0; i < 100; i++) yield batch;
      },
    };
    await expect(wholeTable(large, "a chart")).rejects.toMatchObject({
      label: "RESULT_TOO_LARGE",
      message: `a chart takes a table of at most ${limits.tableBytesMax} bytes: aggregate, or name fewer columns`,
    });
  });
});
