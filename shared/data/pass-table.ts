/** A table that goes on as it came. */
import type { Table } from "#contracts";
import { type Emit, tableSink } from "./table-sink.ts";
import { sourceOf, type TableSource } from "./table-source.ts";

/** What is inside its envelope is handed on unread. */
export function passTable(table: Table, source: TableSource, emit: Emit): Promise<Table> | Table {
  return table.transfer === undefined ? table : emitted(source, emit);
}

/** A table in memory, of any size. */
export function emitTable(table: Table, emit: Emit): Promise<Table> {
  return emitted(sourceOf(table), emit);
}

async function emitted(source: TableSource, emit: Emit): Promise<Table> {
  const sink = tableSink(source.schema, emit);
  for await (const batch of source.batches()) await sink.write(batch);
  return sink.finish(source.notes);
}
