/** A table's bytes as record batches and back, without decoding a cell. */

import type { Schema } from "apache-arrow";
import {
  AsyncByteQueue,
  type Data,
  makeData,
  RecordBatch,
  RecordBatchReader,
  RecordBatchStreamWriter,
  Struct,
} from "apache-arrow";
import { ErrorCode, type Table } from "#contracts";
import { DynamosError } from "#errors";

/** @throws DynamosError ENVELOPE_INVALID */
export function openStream({ arrowIpc }: Table): RecordBatchReader {
  try {
    const reader = RecordBatchReader.from(arrowIpc).open();
    // Of bytes that are none, Arrow makes a reader without a schema.
    if (reader.schema === undefined) throw new RangeError("no schema");
    return reader;
  } catch (cause) {
    throw new DynamosError(ErrorCode.ENVELOPE_INVALID, "the table is not an Arrow IPC stream", { cause });
  }
}

export function batchOf(schema: Schema, rows: number, columns: readonly Data[]): RecordBatch {
  const type = new Struct(schema.fields);
  return new RecordBatch(schema, makeData({ type, length: rows, nullCount: 0, children: [...columns] }));
}

/** The batches one after the other, under this schema. */
export function writeStream(schema: Schema, batches: Iterable<RecordBatch>): Table {
  const encoder = new StreamEncoder(schema);
  let rows = 0;
  for (const batch of batches) {
    encoder.write(batch);
    rows += batch.numRows;
  }
  encoder.end();
  return { arrowIpc: encoder.taken(), rows, transfer: undefined };
}

/** An Arrow IPC stream whose bytes are taken while it is written. */
export class StreamEncoder {
  readonly #schema: Schema;
  readonly #writer = new RecordBatchStreamWriter();
  readonly #bytes = new ByteCollector();

  constructor(schema: Schema) {
    this.#schema = schema;
    this.#writer.reset(this.#bytes, schema);
  }

  write(batch: RecordBatch): void {
    this.#writer.write(new RecordBatch(this.#schema, batch.data));
  }

  end(): void {
    this.#writer.finish();
  }

  /** What was written since it was last asked. */
  taken(): Buffer {
    return Buffer.concat(this.#bytes.parts.splice(0));
  }
}

/** Arrow's own queue keeps everything that was ever written. */
class ByteCollector extends AsyncByteQueue {
  readonly parts: Uint8Array[] = [];

  override write(value: ArrayBufferView): void {
    this.parts.push(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
}
