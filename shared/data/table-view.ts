/** Reads a table between steps, column by column, without losing a digit. */
import type { Data, RecordBatch, RecordBatchReader } from "apache-arrow";
import { ErrorCode, type Table } from "#contracts";
import { DynamosError } from "#errors";
import { openStream } from "./arrow-stream.ts";
import { checkBatch } from "./check-batch.ts";
import { type Cell, type ColumnSpec, specOf } from "./column-kind.ts";
import { cellAt } from "./column-values.ts";

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
    return viewBatches(reader.schema.fields.map(specOf), checked(reader));
  } catch (error) {
    if (error instanceof DynamosError) throw error;
    throw new DynamosError(ErrorCode.ENVELOPE_INVALID, "the table is not an Arrow IPC stream", { cause: error });
  }
}

function* checked(reader: RecordBatchReader): Generator<RecordBatch> {
  for (const batch of reader) {
    checkBatch(batch, reader.schema);
    yield batch;
  }
}

/** @param batches that were looked at */
export function viewBatches(specs: readonly ColumnSpec[], batches: Iterable<RecordBatch>): TableView {
  const cells: Cell[][] = specs.map(() => []);
  let rows = 0;
  for (const batch of batches) {
    rows += batch.numRows;
    for (const [i, spec] of specs.entries()) {
      const column = batch.data.children[i];
      if (column !== undefined) readInto(cells[i] ?? [], column, spec);
    }
  }
  return { rows, columns: specs.map((spec, i) => ({ spec, cells: cells[i] ?? [] })) };
}

function readInto(cells: Cell[], column: Data, spec: ColumnSpec): void {
  const cell = cellAt(column, spec);
  for (let row = 0; row < column.length; row++) cells.push(cell(row));
}
