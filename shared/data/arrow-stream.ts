/** A table's bytes as record batches and back, without decoding a cell. */
import { RecordBatch, RecordBatchReader, RecordBatchStreamWriter, type Schema } from "apache-arrow";
import { ErrorCode, type Table } from "#contracts";
import { DynamosError } from "#errors";

/** @throws DynamosError ENVELOPE_INVALID */
export function openStream({ arrowIpc }: Table): RecordBatchReader {
  try {
    return RecordBatchReader.from(arrowIpc).open();
  } catch (cause) {
    throw new DynamosError(ErrorCode.ENVELOPE_INVALID, "the table is not an Arrow IPC stream", { cause });
  }
}

/** The batches of all readers, one after the other, under this schema. */
export function writeStream(schema: Schema, readers: readonly RecordBatchReader[]): Table {
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, schema);
  let rows = 0;
  for (const reader of readers) {
    for (const batch of reader) {
      writer.write(new RecordBatch(schema, batch.data));
      rows += batch.numRows;
    }
  }
  writer.finish();
  return { arrowIpc: Buffer.from(writer.toUint8Array(true)), rows, transfer: undefined };
}
