import {
  type Data,
  DateMillisecond,
  Decimal,
  Field,
  Float32,
  Int32,
  type RecordBatch,
  Schema,
  TimestampSecond,
  Uint64,
} from "apache-arrow";
import { describe, expect, it } from "vitest";
import { batchOf } from "./arrow-stream.ts";
import { checkBatch } from "./check-batch.ts";
import { type ColumnSpec, fieldOf, specOf } from "./column-kind.ts";
import { type ColumnMemory, columnOf } from "./column-memory.ts";
import { buildTable } from "./table-builder.ts";
import { sourceOf } from "./table-source.ts";
import { viewTable } from "./table-view.ts";

const number: ColumnSpec = { name: "n", kind: "int64" };
const text: ColumnSpec = { name: "t", kind: "text" };
const bytes = (...given: number[]) => Uint8Array.from(given);
const ends = (...given: number[]) => Int32Array.from(given);
const noNulls = { nullCount: 0, validity: null };

function looked(spec: ColumnSpec, rows: number, memory: Omit<ColumnMemory, "rows">, as = spec): () => void {
  const column = columnOf(spec, { rows, ...memory });
  return lookedAt([column], rows, as);
}

function lookedAt(columns: Data[], rows: number, ...specs: ColumnSpec[]): () => void {
  const schema = new Schema(specs.map(fieldOf));
  return () => checkBatch(batchOf(schema, rows, columns), schema);
}

describe("a record batch from elsewhere", () => {
  it("is taken when it is what it says", () => {
    const values = new TextEncoder().encode("aé🙂");
    expect(looked(text, 4, { ...noNulls, values, offsets: ends(0, 1, 3, 3, 7) })).not.toThrow();
    expect(looked(number, 2, { nullCount: 1, validity: bytes(0b10), values: new Uint8Array(16) })).not.toThrow();
    expect(looked({ name: "b", kind: "boolean" }, 9, { ...noNulls, values: bytes(1, 1) })).not.toThrow();
    expect(looked(text, 0, { ...noNulls, values: bytes(), offsets: ends() })).not.toThrow();
  });

  it.each<[string, () => void]>([
    ["a text ends before it begins", looked(text, 2, { ...noNulls, values: bytes(65, 66), offsets: ends(0, 2, 1) })],
    ["not within its bytes", looked(text, 1, { ...noNulls, values: bytes(65), offsets: ends(0, 2) })],
    ["not within its bytes", looked(text, 1, { ...noNulls, values: bytes(65), offsets: ends(-1, 1) })],
    ["lacks the ends", looked(text, 2, { ...noNulls, values: bytes(65), offsets: ends(0, 1) })],
    ["not UTF-8", looked(text, 1, { ...noNulls, values: bytes(0xff), offsets: ends(0, 1) })],
    ["not UTF-8", looked(text, 2, { ...noNulls, values: bytes(0xc3, 0xa9), offsets: ends(0, 1, 2) })],
    ["8 bytes where 16 are needed", looked(number, 2, { ...noNulls, values: new Uint8Array(8) })],
    ["1 bytes where 2 are needed", looked({ name: "b", kind: "boolean" }, 9, { ...noNulls, values: bytes(1) })],
    ["its bits say 1", looked(number, 2, { nullCount: 2, validity: bytes(0b10), values: new Uint8Array(16) })],
    ["its bits say nothing", looked(number, 9, { nullCount: 1, validity: bytes(0xff), values: new Uint8Array(72) })],
    [
      "a batch has it as Int64",
      looked(number, 1, { ...noNulls, values: new Uint8Array(8) }, { name: "n", kind: "double" }),
    ],
    [
      "it has 8 bytes where 16",
      lookedAt([columnOf(number, { rows: 1, ...noNulls, values: new Uint8Array(8) })], 2, number),
    ],
    ["other columns than its table", () => checkBatch(batchOf(new Schema([]), 0, []), new Schema([fieldOf(number)]))],
    ["says it has 1000000000000 rows", lookedAt([], 10 ** 12)],
  ])("is refused by name: %s", (message, look) => {
    expect(look).toThrow(
      expect.objectContaining({ label: "ENVELOPE_INVALID", message: expect.stringContaining(message) }),
    );
  });

  it("is looked at wherever a table is read", async () => {
    const table = buildTable([text]);
    table.push(["café"]);
    const { arrowIpc, ...rest } = table.finish();
    const broken = Buffer.from(arrowIpc);
    broken[broken.indexOf("é")] = 0xff;
    const refused = { label: "ENVELOPE_INVALID", message: "column t: a text is not UTF-8" };
    expect(() => viewTable({ ...rest, arrowIpc: broken })).toThrow(expect.objectContaining(refused));
    const read: RecordBatch[] = [];
    const reading = async () => {
      for await (const batch of sourceOf({ ...rest, arrowIpc: broken }).batches()) read.push(batch);
    };
    await expect(reading()).rejects.toMatchObject(refused);
    expect(read).toEqual([]);
  });
});

it.each([
  new Int32(),
  new Uint64(),
  new Float32(),
  new DateMillisecond(),
  new TimestampSecond(),
  new Decimal(2, 38, 256),
])("a column of type %s would be read as another, and is refused", (type) => {
  expect(() => specOf(new Field("x", type, true))).toThrow("has a type that tables do not carry");
});
