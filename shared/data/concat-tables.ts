/** Tables of one schema put one after the other, record batch by record batch: no cell is decoded. */
import { RecordBatch, RecordBatchReader, RecordBatchStreamWriter, type Schema } from "apache-arrow";
import { ErrorCode, type Table } from "#contracts";
import { DynamosError } from "#errors";

/**
 * @returns undefined when the tables do not have the same columns, by name and type, in the same order
 * @throws DynamosError ENVELOPE_INVALID when one is not an Arrow IPC stream
 */
export function concatTables(tables: readonly Table[]): Table | undefined {
  const readers = tables.map(open);
  const schema = readers[0]?.schema;
  if (schema === undefined || readers.some((reader) => columnsOf(reader.schema) !== columnsOf(schema))) {
    return undefined;
  }
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
  return { arrowIpc: Buffer.from(writer.toUint8Array(true)), rows };
}

function columnsOf(schema: Schema): string {
  return JSON.stringify(schema.fields.map(({ name, type }) => [name, type.toString()]));
}

function open({ arrowIpc }: Table): RecordBatchReader {
  try {
    return RecordBatchReader.from(arrowIpc).open();
  } catch (cause) {
    throw new DynamosError(ErrorCode.ENVELOPE_INVALID, "the table is not an Arrow IPC stream", { cause });
  }
}
