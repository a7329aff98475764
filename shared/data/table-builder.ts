/** A small table, row by row: what an algorithm computes, and what tests make up. */
import type { RecordBatch } from "apache-arrow";
import { ErrorCode, type Table } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { writeStream } from "./arrow-stream.ts";
import type { Cell, ColumnSpec } from "./column-kind.ts";
import { FilledColumns } from "./filled-columns.ts";
import { rowBatches } from "./row-batches.ts";
import { metadataOf, type TableNotes } from "./table-notes.ts";

export interface TableBuilder {
  /** Cells in the order of the columns. @throws DynamosError RESULT_TOO_LARGE */
  push(row: readonly Cell[]): void;
  /** @param notes what it takes along; absent: nothing */
  finish(notes?: TableNotes): Table;
}

export function buildTable(specs: readonly ColumnSpec[]): TableBuilder {
  const rows = rowBatches(specs);
  const batches: RecordBatch[] = [];
  const filled = new FilledColumns(rows.schema);
  let bytes = 0;

  function keep(batch: RecordBatch | undefined): void {
    if (batch === undefined) return;
    batches.push(batch);
    filled.see(batch);
    bytes += batch.data.byteLength;
    if (bytes <= limits.tableBytesMax) return;
    const message = `more than ${limits.tableBytesMax} bytes: add a LIMIT, name fewer columns or aggregate`;
    throw new DynamosError(ErrorCode.RESULT_TOO_LARGE, message);
  }

  return {
    push: (row) => keep(rows.push(row)),
    finish: (notes) => {
      keep(rows.rest());
      return writeStream(filled.schema(notes && metadataOf(notes)), batches);
    },
  };
}
