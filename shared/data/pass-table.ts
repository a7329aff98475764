/** A table that goes on as it came. */
import type { Table } from "#contracts";
import { type Emit, tableSink } from "./table-sink.ts";
import { sourceOf, type TableSource } from "./table-source.ts";

/** Unread: whoever reads it looks at it. What is inside its envelope stays there, the bytes of a transfer go on as they come. */
export async function passTable(table: Table, source: TableSource, emit: Emit): Promise<Table> {
  if (table.transfer === undefined) return table;
  for await (const bytes of source.bytes) await emit(bytes);
  return { ...table, transfer: { name: "", chunks: 0, bytes: 0, sha256: Buffer.alloc(0) } };
}

/** A table in memory, of any size. */
export async function emitTable(table: Table, emit: Emit): Promise<Table> {
  const source = sourceOf(table);
  const sink = tableSink(source.schema, emit);
  for await (const batch of source.batches()) await sink.write(batch);
  return sink.finish(source.notes);
}
