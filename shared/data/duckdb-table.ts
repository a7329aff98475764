/** A result of the engine as record batches, chunk by chunk: never more than a batch of it in memory. */
import type { DuckDBVector } from "@duckdb/node-api";
import type { RecordBatch, Schema } from "apache-arrow";
import type { ColumnNote } from "./column-notes.ts";
import { type DuckDBConnection, pointerReader } from "./duckdb.ts";
import { type BatchSize, rowBatches } from "./row-batches.ts";
import { checkVector, vectorColumn, vectorKind } from "./vector-column.ts";

export interface QueryResult {
  readonly schema: Schema;
  /** Once. @throws EndedEarly, DynamosError TYPE_MISMATCH naming the column, RESULT_TOO_LARGE */
  batches(): AsyncGenerator<RecordBatch>;
  /**
   * Passes over those that were not taken as batches, which can't be taken any more, and fails as their batches would.
   * @param enough where it may stop
   * @returns all that there are, or at least so many
   */
  countRows(enough: number): Promise<number>;
}

/** The result failed on its way. The engine does not say why. */
export class EndedEarly extends Error {}

/**
 * The connection has a transaction from then on.
 *
 * @param notes by place; believed only where there is one for each column
 * @param first size of the first batch
 * @throws DynamosError TYPE_MISMATCH naming the column; the engine's own errors as they are
 */
export async function queryResult(
  connection: DuckDBConnection,
  sql: string,
  notes: readonly ColumnNote[],
  first?: BatchSize,
): Promise<QueryResult> {
  // One that fails on its way ends as if it were whole: its transaction alone tells.
  await connection.run("BEGIN TRANSACTION");
  const [result, readPointer] = await Promise.all([connection.stream(sql), pointerReader()]);
  const names = result.columnNames();
  const kinds = result.columnTypes().map((type, i) => vectorKind(type, names[i] ?? ""));
  const told = notes.length === names.length ? notes : [];
  const specs = kinds.map(({ spec }, i) => ({ ...told[i], ...spec, name: names[i] ?? "" }));
  const rows = rowBatches(specs, first);
  let fetched = 0;
  async function nextChunk() {
    const chunk = await result.fetchChunk();
    fetched += chunk?.rowCount ?? 0;
    if (chunk?.rowCount) return chunk;
    await checkTransaction(connection);
    return undefined;
  }
  async function* batches(): AsyncGenerator<RecordBatch> {
    for (let chunk = await nextChunk(); chunk !== undefined; chunk = await nextChunk()) {
      const { rowCount: count } = chunk;
      const columns = kinds.map((kind, i) =>
        vectorColumn(kind, chunk.getColumnVector(i) as DuckDBVector, count, readPointer),
      );
      yield* rows.pushColumns(columns, count);
    }
    const rest = rows.rest();
    if (rest !== undefined) yield rest;
  }
  async function countRows(enough: number): Promise<number> {
    while (fetched < enough) {
      const chunk = await nextChunk();
      if (chunk === undefined) break;
      for (const [i, kind] of kinds.entries()) {
        if (kind.check !== undefined) checkVector(kind, chunk.getColumnVector(i) as DuckDBVector, chunk.rowCount);
      }
    }
    return fetched;
  }
  return { schema: rows.schema, batches, countRows };
}

async function checkTransaction(connection: DuckDBConnection): Promise<void> {
  try {
    await connection.run("SELECT 1");
  } catch (cause) {
    throw new EndedEarly("a result ended before it was whole", { cause });
  }
}
