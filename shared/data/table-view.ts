/** Reads a table between steps, column by column, without losing a digit. */
import { type Data, type RecordBatch, Type, type Vector } from "apache-arrow";
import { ErrorCode, type Table } from "#contracts";
import { DynamosError } from "#errors";
import { openStream } from "./arrow-stream.ts";
import { type Cell, type ColumnSpec, specOf } from "./column-kind.ts";

export interface ColumnView {
  readonly spec: ColumnSpec;
  readonly cells: readonly Cell[];
}

export interface TableView {
  readonly rows: number;
  readonly columns: readonly ColumnView[];
}

/** @param table whose bytes are all inside it. @throws DynamosError ENVELOPE_INVALID when they are not a table */
export function viewTable(table: Table): TableView {
  const reader = openStream(table);
  try {
    return viewBatches(reader.schema.fields.map(specOf), reader);
  } catch (error) {
    if (error instanceof DynamosError) throw error;
    throw new DynamosError(ErrorCode.ENVELOPE_INVALID, "the table is not an Arrow IPC stream", { cause: error });
  }
}

export function viewBatches(specs: readonly ColumnSpec[], batches: Iterable<RecordBatch>): TableView {
  const cells: Cell[][] = specs.map(() => []);
  let rows = 0;
  for (const batch of batches) {
    rows += batch.numRows;
    for (const [i, spec] of specs.entries()) {
      const vector = batch.getChildAt(i);
      if (vector !== null) readInto(cells[i] ?? [], vector, spec);
    }
  }
  return { rows, columns: specs.map((spec, i) => ({ spec, cells: cells[i] ?? [] })) };
}

function readInto(cells: Cell[], vector: Vector, spec: ColumnSpec): void {
  for (const data of vector.data) {
    const read = readerOf(vector, data, spec);
    for (let i = 0; i < data.length; i++) {
      cells.push(data.nullCount > 0 && !data.getValid(i) ? null : read(i));
    }
  }
}

/** Raw memory where Arrow's own accessor would round: its timestamps are numbers of milliseconds. */
function readerOf(vector: Vector, data: Data, { kind }: ColumnSpec): (i: number) => Cell {
  const { values } = data;
  switch (kind) {
    case "int64":
      return data.type.typeId === Type.Int && values instanceof BigInt64Array
        ? (i) => values[i] ?? null
        : (i) => BigInt(Number(values[i]));
    case "timestamp":
      return (i) => (values as BigInt64Array)[i] ?? null;
    case "date":
      return (i) => (values as Int32Array)[i] ?? null;
    case "double":
      return (i) => (values as Float64Array)[i] ?? null;
    case "decimal":
      return (i) => decimalAt(values as Uint32Array, i);
    case "boolean":
    case "text":
      return (i) => vector.get(i) as string | boolean;
  }
}

function decimalAt(words: Uint32Array, i: number): bigint {
  let value = 0n;
  for (let word = 3; word >= 0; word--) value = (value << 32n) | BigInt(words[i * 4 + word] ?? 0);
  return BigInt.asIntN(128, value);
}
