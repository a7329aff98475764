/** Tables of one schema put one after the other, record batch by record batch: no cell is decoded. */
import type { Schema } from "apache-arrow";
import type { Table } from "#contracts";
import { openStream, writeStream } from "./arrow-stream.ts";

/**
 * @returns undefined when the tables do not have the same columns, by name, type and anonymisation, in the same order
 * @throws DynamosError ENVELOPE_INVALID when one is not an Arrow IPC stream
 */
export function concatTables(tables: readonly Table[]): Table | undefined {
  const readers = tables.map(openStream);
  const schema = readers[0]?.schema;
  if (schema === undefined || readers.some((reader) => columnsOf(reader.schema) !== columnsOf(schema))) {
    return undefined;
  }
  return writeStream(schema, readers);
}

function columnsOf(schema: Schema): string {
  return JSON.stringify(
    schema.fields.map(({ name, type, metadata }) => [name, type.toString(), metadata.get("anonymized") ?? ""]),
  );
}
