/**
 * A table on its way between two steps, in four ways that give one answer: from where its values are to bytes, and back
 * to the answer. All values are looked at. Struct by column is what the original DYNAMOS sends; rows as JSON are what
 * most others would.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ListValueSchema, StructSchema, type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { DuckDBDataChunk, DuckDBVector } from "@duckdb/node-api";
import type { Data } from "apache-arrow";
import { openStream, writeStream } from "#data/arrow-stream";
import { checkBatch } from "#data/check-batch";
import type { ColumnSpec } from "#data/column-kind";
import { numberAt, wholeAt } from "#data/column-values";
import { type DuckDBConnection, openEngine, pointerReader } from "#data/duckdb";
import { rowBatches } from "#data/row-batches";
import { buildTable } from "#data/table-builder";
import { viewTable } from "#data/table-view";
import { vectorColumn, vectorKind } from "#data/vector-column";
import type { BenchResult, Cell } from "./bench-result.ts";
import { encodingsResult, structName } from "./encodings-result.ts";
import { median } from "./statistics.ts";

export interface EncodingsOptions {
  readonly sizes: readonly number[];
  readonly rounds: number;
}

type Row = readonly [id: string, gender: string, scale: bigint, hours: number];

/** Of all rows: what was in them. Texts are ASCII, so that bytes are characters. */
interface Answer {
  scales: number;
  hours: number;
  textLength: number;
}

interface Encoding {
  readonly name: string;
  encode(given: Given): Buffer;
  decode(bytes: Buffer): Answer;
}

/** The same values, as the engine has them and as rows of JavaScript. */
interface Given {
  readonly rows: readonly Row[];
  readonly chunks: readonly DuckDBDataChunk[];
}

const columns: readonly ColumnSpec[] = [
  { name: "Unieknr", kind: "text" },
  { name: "Geslacht", kind: "text" },
  { name: "Salschal", kind: "int64" },
  { name: "Uren", kind: "double" },
];

/** What steps do: the engine's vectors become columns, and the reader reads each column's memory. */
function typedEncoding(readPointer: Awaited<ReturnType<typeof pointerReader>>): Encoding {
  return {
    name: "columnar, typed",
    encode: ({ chunks }) => {
      const table = rowBatches(columns);
      const batches = chunks.flatMap((chunk) => [
        ...table.pushColumns(
          columns.map((_, i) => columnOf(chunk.getColumnVector(i) as DuckDBVector, chunk.rowCount, readPointer)),
          chunk.rowCount,
        ),
      ]);
      const rest = table.rest();
      return writeStream(table.schema, rest === undefined ? batches : [...batches, rest]).arrowIpc;
    },
    decode: (arrowIpc) => {
      const answer = { scales: 0, hours: 0, textLength: 0 };
      const reader = openStream({ arrowIpc, rows: 0, transfer: undefined });
      for (const batch of reader) {
        checkBatch(batch, reader.schema);
        for (const [i, column] of batch.data.children.entries()) readTyped(answer, column, columns[i] as ColumnSpec);
      }
      return answer;
    },
  };
}

function columnOf(vector: DuckDBVector, rows: number, read: Awaited<ReturnType<typeof pointerReader>>): Data {
  return vectorColumn(vectorKind(vector.type, ""), vector, rows, read);
}

function readTyped(answer: Answer, column: Data, spec: ColumnSpec): void {
  const { length } = column;
  if (spec.kind === "text") {
    const { valueOffsets } = column;
    for (let row = 0; row < length; row++) {
      answer.textLength += (valueOffsets[row + 1] as number) - (valueOffsets[row] as number);
    }
  } else if (spec.kind === "double") {
    const value = numberAt(column);
    for (let row = 0; row < length; row++) answer.hours += value(row);
  } else {
    const value = wholeAt(column, spec);
    for (let row = 0; row < length; row++) answer.scales += Number(value(row));
  }
}

/** The same bytes by way of rows, and of a value for each cell. */
const cellsEncoding: Encoding = {
  name: "columnar, by cells",
  encode: ({ rows }) => {
    const table = buildTable(columns);
    for (const row of rows) table.push(row);
    return table.finish().arrowIpc;
  },
  decode: (arrowIpc) => {
    const { rows, columns: read } = viewTable({ arrowIpc, rows: 0, transfer: undefined });
    const answer = { scales: 0, hours: 0, textLength: 0 };
    for (const { cells } of read) for (let i = 0; i < rows; i++) readCell(answer, cells[i]);
    return answer;
  },
};

/** As DYNAMOS has it: a field for each column, with a list of values. */
const struct: Encoding = {
  name: structName,
  encode: ({ rows }) => {
    const fields: Record<string, Value> = {};
    for (const [at, { name }] of columns.entries()) {
      const values = rows.map((row) => valueOfCell(row[at]));
      const kind = { case: "listValue", value: create(ListValueSchema, { values }) } as const;
      fields[name] = create(ValueSchema, { kind });
    }
    return Buffer.from(toBinary(StructSchema, create(StructSchema, { fields })));
  },
  decode: (bytes) => {
    const answer = { scales: 0, hours: 0, textLength: 0 };
    for (const [name, { kind }] of Object.entries(fromBinary(StructSchema, bytes).fields)) {
      if (kind.case !== "listValue") continue;
      const isScale = name === "Salschal";
      for (const { kind: cell } of kind.value.values) readCell(answer, cell.value, isScale);
    }
    return answer;
  },
};

const jsonRows: Encoding = {
  name: "JSON rows",
  encode: ({ rows }) =>
    Buffer.from(
      JSON.stringify(rows.map(([id, gender, scale, hours]) => ({ id, gender, scale: Number(scale), hours }))),
    ),
  decode: (bytes) => {
    const answer = { scales: 0, hours: 0, textLength: 0 };
    for (const row of JSON.parse(bytes.toString()) as Record<string, unknown>[]) {
      for (const name in row) readCell(answer, row[name], name === "scale");
    }
    return answer;
  },
};

export async function benchEncodings(options: EncodingsOptions, say: (line: string) => void): Promise<BenchResult> {
  const engine = await openEngine({ memoryMb: 1_024, threads: 1 });
  try {
    return await measured(engine.connection, options, say);
  } finally {
    engine.close();
  }
}

async function measured(
  connection: DuckDBConnection,
  { sizes, rounds }: EncodingsOptions,
  say: (line: string) => void,
): Promise<BenchResult> {
  const encodings = [typedEncoding(await pointerReader()), cellsEncoding, struct, jsonRows];
  const lines: Cell[][] = [];
  let wrong = 0;
  for (const size of sizes) {
    say(`${size} rows, ${rounds} rounds`);
    const rows = madeRows(size);
    const expected = answerOf(rows);
    const ways = encodings.map((encoding) => ({ encoding, write: [0], read: [0], bytes: 0 }));
    for (let round = -1; round < rounds; round++) {
      const chunks = await madeChunks(connection, size);
      for (const way of ways) {
        const startedMs = performance.now();
        const bytes = way.encoding.encode({ rows, chunks });
        const writtenMs = performance.now();
        const answer = way.encoding.decode(bytes);
        const readMs = performance.now();
        if (JSON.stringify(answer) !== JSON.stringify(expected)) wrong += 1;
        way.bytes = bytes.length;
        // The first round is for the compiler.
        if (round < 0) Object.assign(way, { write: [], read: [] });
        else {
          way.write.push(writtenMs - startedMs);
          way.read.push(readMs - writtenMs);
        }
      }
    }
    const wholeMs = ways.map(({ write, read }) => write.map((ms, i) => ms + (read[i] ?? 0)));
    for (const [i, { encoding, write, read, bytes }] of ways.entries()) {
      // Within a round, so that all meet the same machine.
      const times = median((wholeMs[i] ?? []).map((ms, round) => ms / (wholeMs[0]?.[round] ?? Number.NaN)));
      lines.push([size, encoding.name, one(median(write)), one(median(read)), one(bytes / 1_048_576), one(times)]);
    }
  }
  return encodingsResult(lines, wrong);
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

/** The same rows as the engine gives them, unread: it caches what was read. */
async function madeChunks(connection: DuckDBConnection, count: number): Promise<DuckDBDataChunk[]> {
  const texts = "(1000000 + i)::VARCHAR, CASE WHEN i % 2 = 0 THEN 'M' ELSE 'V' END";
  const numbers = "1 + (i * 7) % 18, ((i * 13) % 41)::DOUBLE";
  const result = await connection.run(`SELECT ${texts}, ${numbers} FROM range(${count}) r(i)`);
  return result.fetchAllChunks();
}

function answerOf(rows: readonly Row[]): Answer {
  const answer = { scales: 0, hours: 0, textLength: 0 };
  for (const row of rows) for (const cell of row) readCell(answer, cell);
  return answer;
}

function readCell(answer: Answer, cell: unknown, isScale = typeof cell === "bigint"): void {
  if (typeof cell === "string") answer.textLength += cell.length;
  else if (isScale) answer.scales += Number(cell);
  else answer.hours += cell as number;
}

function valueOfCell(cell: string | bigint | number | undefined): Value {
  const kind =
    typeof cell === "string"
      ? ({ case: "stringValue", value: cell } as const)
      : ({ case: "numberValue", value: Number(cell) } as const);
  return create(ValueSchema, { kind });
}

function one(value: number): number {
  return Math.round(value * 10) / 10;
}
