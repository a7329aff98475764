/** A result of the engine as record batches, chunk by chunk: never more than a batch of it in memory. */
import type { DuckDBVector } from "@duckdb/node-api";
import type { RecordBatch, Schema } from "apache-arrow";
import type { ColumnNote } from "./column-notes.ts";
import { type DuckDBConnection, pointerReader } from "./duckdb.ts";
import { rowBatches } from "./row-batches.ts";
import { vectorColumn, vectorKind } from "./vector-column.ts";

export interface QueryResult {
  readonly schema: Schema;
  /** Once. @throws the engine's own errors as they are, DynamosError TYPE_MISMATCH naming the column */
  batches(): AsyncGenerator<RecordBatch>;
}

/**
 * @param notes by place; believed only where there is one for each column
 * @throws DynamosError TYPE_MISMATCH naming the column; the engine's own errors as they are
 */
export async function queryResult(
  connection: DuckDBConnection,
  sql: string,
  notes: readonly ColumnNote[],
): Promise<QueryResult> {
  const [result, readPointer] = await Promise.all([connection.stream(sql), pointerReader()]);
  const names = result.columnNames();
  const kinds = result.columnTypes().map((type, i) => vectorKind(type, names[i] ?? ""));
  const told = notes.length === names.length ? notes : [];
  const rows = rowBatches(kinds.map(({ spec }, i) => ({ ...told[i], ...spec, name: names[i] ?? "" })));
  async function* batches(): AsyncGenerator<RecordBatch> {
    for (;;) {
      const chunk = await result.fetchChunk();
      const count = chunk?.rowCount ?? 0;
      if (chunk === null || count === 0) break;
      const columns = kinds.map((kind, i) =>
        vectorColumn(kind, chunk.getColumnVector(i) as DuckDBVector, count, readPointer),
      );
      yield* rows.pushColumns(columns, count);
    }
    const rest = rows.rest();
    if (rest !== undefined) yield rest;
  }
  return { schema: rows.schema, batches };
}
