/** Builds the table that travels between steps: Arrow IPC stream bytes, in record batches. */
import { makeData, RecordBatch, RecordBatchStreamWriter, Schema, Struct } from "apache-arrow";
import { ErrorCode, type Table } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { ColumnBuffer } from "./column-buffer.ts";
import { type Cell, type ColumnSpec, fieldOf } from "./column-kind.ts";

/** Rows of one record batch: large enough to be cheap, small enough to be a chunk. */
const batchRows = 32_768;

export interface TableBuilder {
  /** Cells in the order of the columns. @throws DynamosError RESULT_TOO_LARGE */
  push(row: readonly Cell[]): void;
  finish(): Table;
}

export function buildTable(specs: readonly ColumnSpec[]): TableBuilder {
  const names = uniqueNames(specs.map(({ name }) => name));
  const columns = specs.map((spec, i) => ({ ...spec, name: names[i] ?? spec.name }));
  const schema = new Schema(columns.map(fieldOf));
  const batches: RecordBatch[] = [];
  let buffers = columns.map((spec) => new ColumnBuffer(spec));
  let rows = 0;
  let bytes = 0;

  function endBatch(): void {
    const length = buffers[0]?.length ?? 0;
    const data = makeData({
      type: new Struct(schema.fields),
      length,
      nullCount: 0,
      children: buffers.map((one) => one.finish()),
    });
    batches.push(new RecordBatch(schema, data));
    bytes += bytesOf(buffers);
    buffers = columns.map((spec) => new ColumnBuffer(spec));
  }

  return {
    push: (row) => {
      for (const [i, buffer] of buffers.entries()) buffer.push(row[i] ?? null);
      rows += 1;
      if (rows % batchRows === 0) endBatch();
      // Not at each row: the sum over the columns costs more than the row.
      if (rows % 1_024 === 0) checkSize(rows, bytes + bytesOf(buffers));
    },
    finish: () => {
      checkSize(rows, bytes + bytesOf(buffers));
      if ((buffers[0]?.length ?? 0) > 0 || batches.length === 0) endBatch();
      const writer = new RecordBatchStreamWriter();
      writer.reset(undefined, schema);
      for (const batch of batches) writer.write(batch);
      writer.finish();
      return { arrowIpc: Buffer.from(writer.toUint8Array(true)), rows, transfer: undefined };
    },
  };
}

function bytesOf(buffers: readonly ColumnBuffer[]): number {
  return buffers.reduce((sum, buffer) => sum + buffer.bytes, 0);
}

function checkSize(rows: number, bytes: number): void {
  if (rows > limits.tableRowsMax) {
    throw new DynamosError(
      ErrorCode.RESULT_TOO_LARGE,
      `more than ${limits.tableRowsMax} rows: add a LIMIT or aggregate`,
    );
  }
  if (bytes > limits.tableBytesMax) {
    throw new DynamosError(
      ErrorCode.RESULT_TOO_LARGE,
      `more than ${limits.tableBytesMax} bytes: add a LIMIT, name fewer columns or aggregate`,
    );
  }
}

/** `SELECT *` over a join has names twice: the second `Unieknr` becomes `Unieknr_1`, so that no column is lost. */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let i = 1; taken.has(unique); i++) unique = `${name}_${i}`;
    taken.add(unique);
    return unique;
  });
}
