/** What goes with a table as a whole: Arrow schema metadata, so that it survives any number of hops. */
import { RecordBatch, RecordBatchReader, RecordBatchStreamWriter, Schema } from "apache-arrow";
import { ErrorCode, type Table } from "#contracts";
import { DynamosError } from "#errors";

export interface TableNotes {
  /** The data set's: what an algorithm computes over when the user names no column. */
  readonly measure?: { readonly column: string; readonly groupBy: readonly string[] };
  /** The algorithm that made the table: its name, which is also its column's, and what it computed over. */
  readonly algorithm?: { readonly name: string; readonly over: string };
  /** Sentences for the asker: what was changed or left out, and why. */
  readonly remarks?: readonly string[];
}

const key = "dynamos.notes";

/** Notes that can't be read count as none: they are an aid, not data. @throws DynamosError ENVELOPE_INVALID */
export function notesOf(table: Table): TableNotes {
  try {
    const notes: unknown = JSON.parse(open(table).schema.metadata.get(key) ?? "{}");
    return typeof notes === "object" && notes !== null ? notes : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** The same table with these notes and no others; its columns are not decoded. @throws DynamosError ENVELOPE_INVALID */
export function withNotes(table: Table, notes: TableNotes): Table {
  const reader = open(table);
  const schema = new Schema(reader.schema.fields, new Map([[key, JSON.stringify(notes)]]), reader.schema.dictionaries);
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, schema);
  for (const batch of reader) writer.write(new RecordBatch(schema, batch.data));
  writer.finish();
  return { arrowIpc: Buffer.from(writer.toUint8Array(true)), rows: table.rows };
}

function open({ arrowIpc }: Table): RecordBatchReader {
  try {
    return RecordBatchReader.from(arrowIpc).open();
  } catch (cause) {
    throw new DynamosError(ErrorCode.ENVELOPE_INVALID, "the table is not an Arrow IPC stream", { cause });
  }
}
