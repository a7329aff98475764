/**
 * A table on its way between two steps, in three encodings of the same cells: from rows to bytes, and back to every
 * cell. Struct by column is what the original DYNAMOS sends; rows as JSON are what most others would.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ListValueSchema, StructSchema, type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { ColumnSpec } from "#data/column-kind";
import { buildTable } from "#data/table-builder";
import { viewTable } from "#data/table-view";
import { textTable } from "../print/text-table.ts";
import { median } from "./statistics.ts";

export interface EncodingsOptions {
  readonly sizes: readonly number[];
  readonly rounds: number;
}

type Row = readonly [id: string, gender: string, scale: bigint, hours: number];

interface Encoding {
  readonly name: string;
  encode(rows: readonly Row[]): Buffer;
  /** @returns the sum of all scales and hours, having looked at every cell */
  decode(bytes: Buffer): number;
}

const columns: readonly ColumnSpec[] = [
  { name: "Unieknr", kind: "text" },
  { name: "Geslacht", kind: "text" },
  { name: "Salschal", kind: "int64" },
  { name: "Uren", kind: "double" },
];

const columnar: Encoding = {
  name: "columnar (Arrow IPC)",
  encode: (rows) => {
    const table = buildTable(columns);
    for (const row of rows) table.push(row);
    return table.finish().arrowIpc;
  },
  decode: (arrowIpc) => {
    const { rows, columns: read } = viewTable({ arrowIpc, rows: 0, transfer: undefined });
    let sum = 0;
    for (const { cells } of read) for (let i = 0; i < rows; i++) sum += numberIn(cells[i]);
    return sum;
  },
};

/** As DYNAMOS has it: a field for each column, with a list of values. */
const struct: Encoding = {
  name: "protobuf Struct",
  encode: (rows) => {
    const fields: Record<string, Value> = {};
    for (const [at, { name }] of columns.entries()) {
      const values = rows.map((row) => valueOfCell(row[at]));
      const kind = { case: "listValue", value: create(ListValueSchema, { values }) } as const;
      fields[name] = create(ValueSchema, { kind });
    }
    return Buffer.from(toBinary(StructSchema, create(StructSchema, { fields })));
  },
  decode: (bytes) => {
    let sum = 0;
    for (const { kind } of Object.values(fromBinary(StructSchema, bytes).fields)) {
      if (kind.case !== "listValue") continue;
      for (const { kind: cell } of kind.value.values) sum += numberIn(cell.value);
    }
    return sum;
  },
};

const jsonRows: Encoding = {
  name: "JSON rows",
  encode: (rows) =>
    Buffer.from(
      JSON.stringify(rows.map(([id, gender, scale, hours]) => ({ id, gender, scale: Number(scale), hours }))),
    ),
  decode: (bytes) => {
    let sum = 0;
    for (const row of JSON.parse(bytes.toString()) as object[]) {
      for (const cell of Object.values(row)) sum += numberIn(cell);
    }
    return sum;
  },
};

export function benchEncodings({ sizes, rounds }: EncodingsOptions, say: (line: string) => void): void {
  const lines: unknown[][] = [];
  for (const size of sizes) {
    say(`${size} rows, ${rounds} rounds`);
    const rows = madeRows(size);
    const expected = rows.reduce((sum, [, , scale, hours]) => sum + Number(scale) + hours, 0);
    const ways = [columnar, struct, jsonRows].map((encoding) => ({ encoding, write: [0], read: [0], bytes: 0 }));
    for (let round = 0; round <= rounds; round++) {
      for (const way of ways) {
        const startedMs = performance.now();
        const bytes = way.encoding.encode(rows);
        const writtenMs = performance.now();
        const sum = way.encoding.decode(bytes);
        const readMs = performance.now();
        if (Math.abs(sum - expected) > 1e-6 * expected) throw new Error(`${way.encoding.name} lost something`);
        way.bytes = bytes.length;
        // The first round is for the compiler.
        if (round === 0) Object.assign(way, { write: [], read: [] });
        else {
          way.write.push(writtenMs - startedMs);
          way.read.push(readMs - writtenMs);
        }
      }
    }
    const wholeMs = ways.map(({ write, read }) => median(write.map((ms, i) => ms + (read[i] ?? 0))));
    for (const [i, { encoding, write, read, bytes }] of ways.entries()) {
      const times = (wholeMs[i] ?? 0) / (wholeMs[0] ?? 1);
      lines.push([size, encoding.name, one(median(write)), one(median(read)), one(bytes / 1_048_576), one(times)]);
    }
  }
  const numeric = ["write ms", "read ms", "MiB", "times columnar"].map((name) => ({ name, type: "double" }));
  const table = { columns: [{ name: "rows", type: "int64" }, { name: "encoding" }, ...numeric], rows: lines };
  say(textTable(table, { rowsMax: lines.length }));
}

/** The same at every run. */
function madeRows(count: number): Row[] {
  return Array.from({ length: count }, (_, i) => [
    `${1_000_000 + i}`,
    i % 2 === 0 ? "M" : "V",
    BigInt(1 + ((i * 7) % 18)),
    (i * 13) % 41,
  ]);
}

function valueOfCell(cell: string | bigint | number | undefined): Value {
  const kind =
    typeof cell === "string"
      ? ({ case: "stringValue", value: cell } as const)
      : ({ case: "numberValue", value: Number(cell) } as const);
  return create(ValueSchema, { kind });
}

/** 0 of a text; it is looked at all the same. */
function numberIn(cell: unknown): number {
  if (typeof cell === "number") return cell;
  return typeof cell === "bigint" ? Number(cell) : 0;
}

function one(value: number): number {
  return Math.round(value * 10) / 10;
}
