/** A table on its way out of a step: inside its outcome while it is small, ahead of it in pieces once it is not. */
import type { RecordBatch, Schema } from "apache-arrow";
import { ErrorCode, type Table } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { StreamEncoder, writeStream } from "./arrow-stream.ts";
import { FilledColumns } from "./filled-columns.ts";
import { metadataOf, type TableNotes } from "./table-notes.ts";

export type Emit = (bytes: Uint8Array) => Promise<void>;

export interface TableSink {
  /** Resolves when there is room for more. @throws DynamosError RESULT_TOO_LARGE */
  write(batch: RecordBatch): Promise<void>;
  /** @returns the table as its outcome has it. What is said here of it counts, not what its stream began with. */
  finish(notes: TableNotes): Promise<Table>;
}

/** @param rowsMax an agreement's, where it is lower than the system's. @throws DynamosError RESULT_TOO_LARGE */
export function checkRows(rows: number, rowsMax: number): void {
  if (rows <= Math.min(rowsMax, limits.tableRowsMax)) return;
  const whose = rows > rowsMax ? `the ${rowsMax} rows of the agreement's maximumRows` : `${limits.tableRowsMax} rows`;
  throw new DynamosError(ErrorCode.RESULT_TOO_LARGE, `more than ${whose}: add a LIMIT or aggregate`);
}

/** @param rowsMax an agreement's, where it is lower than the system's */
export function tableSink(schema: Schema, emit: Emit, rowsMax = Number.POSITIVE_INFINITY): TableSink {
  let held: RecordBatch[] = [];
  let heldBytes = 0;
  let rows = 0;
  const filled = new FilledColumns(schema);
  let encoder: StreamEncoder | undefined;

  async function write(batch: RecordBatch): Promise<void> {
    rows += batch.numRows;
    checkRows(rows, rowsMax);
    filled.see(batch);
    held.push(batch);
    heldBytes += batch.data.byteLength;
    if (encoder !== undefined || heldBytes > limits.inlineBytesMax) await emitHeld();
  }

  async function emitHeld(): Promise<void> {
    encoder ??= new StreamEncoder(schema);
    for (const batch of held) encoder.write(batch);
    held = [];
    await emit(encoder.taken());
  }

  async function finish(notes: TableNotes): Promise<Table> {
    const told = filled.schema(metadataOf(notes));
    if (encoder === undefined) return writeStream(told, held);
    encoder.end();
    await emit(encoder.taken());
    const transfer = { name: "", chunks: 0, bytes: 0, sha256: Buffer.alloc(0) };
    return { ...writeStream(told, []), rows, transfer };
  }

  return { write, finish };
}
