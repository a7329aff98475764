/** A table on its way into a step: its columns are known at once, its rows come batch by batch. */
import { RecordBatch, RecordBatchReader, type Schema } from "apache-arrow";
import { ErrorCode, type Table } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { openStream, writeStream } from "./arrow-stream.ts";
import { checkBatch } from "./check-batch.ts";
import { type ColumnSpec, specOf } from "./column-kind.ts";
import { notesIn, type TableNotes } from "./table-notes.ts";

export interface TableSource {
  readonly schema: Schema;
  readonly specs: readonly ColumnSpec[];
  readonly notes: TableNotes;
  readonly rows: number;
  /** How many rows the table has whose first ones these are; undefined: they are all that there are. */
  readonly headOf: number | undefined;
  /** Once. @throws DynamosError ENVELOPE_INVALID, and what the bytes fail with */
  batches(): AsyncGenerator<RecordBatch>;
  /** The stream as it came, in place of its batches: nobody has looked at it. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/**
 * @param table of a transfer, it says what the columns are; its rows are in the bytes
 * @param bytes its whole Arrow IPC stream, cut anywhere; batches are read from it where the table is not there as a whole
 * @throws DynamosError ENVELOPE_INVALID, TYPE_MISMATCH
 */
export function tableSource(table: Table, bytes: AsyncIterable<Uint8Array>): TableSource {
  const whole = openStream(table);
  const { schema } = whole;
  async function* batches(): AsyncGenerator<RecordBatch> {
    let rows = 0;
    for await (const batch of table.transfer === undefined ? inside(whole) : read(bytes)) {
      checkBatch(batch, schema);
      rows += batch.numRows;
      yield new RecordBatch(schema, batch.data);
    }
    if (table.transfer !== undefined && rows !== table.rows)
      throw broken(`the table has ${rows} rows, and ${table.rows} were announced`);
  }
  const { rows } = table;
  const notes = notesIn(schema);
  return { schema, specs: schema.fields.map(specOf), notes, rows, headOf: headOf(notes, rows), batches, bytes };
}

function headOf({ headOf: all }: TableNotes, rows: number): number | undefined {
  return Number.isSafeInteger(all) && (all ?? 0) > rows ? all : undefined;
}

/** Of a table whose bytes are all inside it. */
export function sourceOf(table: Table): TableSource {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield table.arrowIpc;
  }
  return tableSource(table, bytes());
}

/** Of a stream that is there as a whole. */
function* inside(reader: RecordBatchReader): Generator<RecordBatch> {
  try {
    yield* reader;
  } catch (cause) {
    throw unreadable(cause);
  }
}

async function* read(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<RecordBatch> {
  let failed: unknown;
  /** What the bytes fail with goes on as it is; what Arrow makes of them gets a name. */
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* bytes;
    } catch (error) {
      failed = error;
      throw error;
    }
  }
  try {
    const reader = await RecordBatchReader.from(watched());
    for await (const batch of reader) yield batch;
  } catch (cause) {
    if (failed !== undefined) throw failed;
    throw unreadable(cause);
  }
}

/**
 * All of it, for a step that can't do with a part.
 * @throws DynamosError RESULT_TOO_LARGE, ENVELOPE_INVALID
 */
export async function wholeTable(source: TableSource, whatFor: string): Promise<Table> {
  const batches: RecordBatch[] = [];
  let bytes = 0;
  for await (const batch of source.batches()) {
    bytes += batch.data.byteLength;
    if (bytes > limits.tableBytesMax) {
      const message = `${whatFor} takes a table of at most ${limits.tableBytesMax} bytes: aggregate, or name fewer columns`;
      throw new DynamosError(ErrorCode.RESULT_TOO_LARGE, message);
    }
    batches.push(batch);
  }
  return writeStream(source.schema, batches);
}

function unreadable(cause: unknown): DynamosError {
  return broken("the table is not an Arrow IPC stream", cause);
}

function broken(message: string, cause?: unknown): DynamosError {
  return new DynamosError(ErrorCode.ENVELOPE_INVALID, message, { cause });
}
