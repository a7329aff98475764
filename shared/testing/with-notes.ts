/** A table as another step would have sent it: with what it takes along. */
import { Schema } from "apache-arrow";
import type { Table } from "#contracts";
import { openStream, writeStream } from "#data/arrow-stream";
import { metadataOf, type TableNotes } from "#data/table-notes";

/** The same table with these notes and no others. */
export function withNotes(table: Table, notes: TableNotes): Table {
  const reader = openStream(table);
  const schema = new Schema(reader.schema.fields, metadataOf(notes), reader.schema.dictionaries);
  return { ...table, arrowIpc: writeStream(schema, reader).arrowIpc };
}
