/** A result of the engine as record batches, chunk by chunk: never more than a batch of it in memory. */
import type { DuckDBType, DuckDBVector } from "@duckdb/node-api";
import type { RecordBatch, Schema } from "apache-arrow";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { Cell, ColumnSpec } from "./column-kind.ts";
import type { ColumnNote } from "./column-notes.ts";
import type { DuckDBConnection } from "./duckdb.ts";
import { rowBatches } from "./row-batches.ts";
import { shorten } from "./shorten.ts";

interface Conversion {
  readonly spec: Omit<ColumnSpec, "name">;
  readonly convert: (value: never) => Cell;
}

/** DuckDBTypeId of the C API; the enum itself would load the library. */
const typeIds = {
  BOOLEAN: 1,
  TINYINT: 2,
  SMALLINT: 3,
  INTEGER: 4,
  BIGINT: 5,
  UTINYINT: 6,
  USMALLINT: 7,
  UINTEGER: 8,
  UBIGINT: 9,
  FLOAT: 10,
  DOUBLE: 11,
  TIMESTAMP: 12,
  DATE: 13,
  TIME: 14,
  HUGEINT: 16,
  VARCHAR: 17,
  DECIMAL: 19,
  ENUM: 23,
  UUID: 27,
  UHUGEINT: 32,
  SQLNULL: 36,
} as const;

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
  const result = await connection.stream(sql);
  const names = result.columnNames();
  const conversions = result.columnTypes().map((type, i) => conversionOf(type, names[i] ?? ""));
  const told = notes.length === names.length ? notes : [];
  const rows = rowBatches(conversions.map(({ spec }, i) => ({ ...told[i], ...spec, name: names[i] ?? "" })));
  async function* batches(): AsyncGenerator<RecordBatch> {
    const row: Cell[] = new Array(conversions.length);
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      const vectors = conversions.map((_, i) => chunk.getColumnVector(i) as DuckDBVector);
      for (let at = 0; at < chunk.rowCount; at++) {
        for (let i = 0; i < row.length; i++) {
          const value = vectors[i]?.getItem(at) ?? null;
          row[i] = value === null ? null : (conversions[i]?.convert(value as never) ?? null);
        }
        const full = rows.push(row);
        if (full !== undefined) yield full;
      }
    }
    const rest = rows.rest();
    if (rest !== undefined) yield rest;
  }
  return { schema: rows.schema, batches };
}

function conversionOf(type: DuckDBType, column: string): Conversion {
  switch (type.typeId as number) {
    case typeIds.BOOLEAN:
      return { spec: { kind: "boolean" }, convert: (value: boolean) => value };
    case typeIds.TINYINT:
    case typeIds.SMALLINT:
    case typeIds.INTEGER:
    case typeIds.UTINYINT:
    case typeIds.USMALLINT:
    case typeIds.UINTEGER:
    case typeIds.SQLNULL:
      return { spec: { kind: "int64" }, convert: (value: number) => BigInt(value) };
    case typeIds.BIGINT:
      return { spec: { kind: "int64" }, convert: (value: bigint) => value };
    case typeIds.UBIGINT:
    case typeIds.HUGEINT:
    case typeIds.UHUGEINT:
      return { spec: { kind: "decimal", precision: 38, scale: 0 }, convert: (value: bigint) => fits38(value, column) };
    case typeIds.FLOAT:
    case typeIds.DOUBLE:
      return { spec: { kind: "double" }, convert: (value: number) => value };
    case typeIds.DECIMAL: {
      const { width, scale } = type as unknown as { width: number; scale: number };
      return { spec: { kind: "decimal", precision: width, scale }, convert: ({ value }: { value: bigint }) => value };
    }
    case typeIds.VARCHAR:
      return { spec: { kind: "text" }, convert: (value: string) => value };
    case typeIds.DATE:
      return { spec: { kind: "date" }, convert: ({ days }: { days: number }) => days };
    case typeIds.TIMESTAMP:
      return { spec: { kind: "timestamp" }, convert: ({ micros }: { micros: bigint }) => micros };
    // Their text says all that they are.
    case typeIds.TIME:
    case typeIds.UUID:
    case typeIds.ENUM:
      return { spec: { kind: "text" }, convert: (value: unknown) => String(value) };
    default:
      throw new DynamosError(
        ErrorCode.TYPE_MISMATCH,
        `column ${column} has the type ${shorten(type.toString())}, which tables do not carry: use CAST(… AS VARCHAR)`,
      );
  }
}

const limit38 = 10n ** 38n;

function fits38(value: bigint, column: string): bigint {
  if (value >= limit38 || value <= -limit38) {
    throw new DynamosError(
      ErrorCode.TYPE_MISMATCH,
      `column ${column} has a number of more than 38 digits: use CAST(… AS VARCHAR)`,
    );
  }
  return value;
}
