/** The engine, loaded when it is first needed: its library takes 60 to 90 ms. */
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";

export type { DuckDBConnection } from "@duckdb/node-api";

/** Once: each import of a bundle's module copies its hundreds of names. */
let library: Promise<typeof import("@duckdb/node-api")> | undefined;
function duckdb(): Promise<typeof import("@duckdb/node-api")> {
  library ??= import("@duckdb/node-api");
  return library;
}

export interface Engine {
  readonly connection: DuckDBConnection;
  close(): void;
}

export interface EngineOptions {
  readonly memoryMb: number;
  /** More than one gives rows without ORDER BY in no fixed order. */
  readonly threads: number;
}

/** An empty in-memory database that loads no extension by itself and writes nothing to disk. */
export async function openEngine({ memoryMb, threads }: EngineOptions): Promise<Engine> {
  const { DuckDBInstance: Instance } = await duckdb();
  const instance: DuckDBInstance = await Instance.create(":memory:", {
    threads: String(threads),
    memory_limit: `${memoryMb}MB`,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    temp_directory: "",
    max_temp_directory_size: "0MB",
    max_expression_depth: String(limits.sqlDepthMax),
  });
  const connection = await instance.connect();
  return {
    connection,
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

export function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

/** A string literal; identifiers and paths never reach SQL in another way. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The rows of a small result as plain values. */
export async function rowsOf(connection: DuckDBConnection, sql: string): Promise<unknown[][]> {
  const reader = await connection.runAndReadAll(sql);
  return reader.getRows();
}

/** The validity of one value; the binding keeps its own to itself. */
const isThere = { itemValid: () => true };

/** Bytes behind a pointer of the engine's, which must be alive. It is read as the engine reads a long text. */
export async function pointerReader(): Promise<(pointer: Uint8Array, length: number) => Uint8Array> {
  const { DuckDBBlobVector } = await duckdb();
  return (pointer, length) => {
    const record = new DataView(new ArrayBuffer(16));
    for (let at = 0; at < 16; at++) record.setUint8(at, pointer[at] ?? 0);
    record.setUint32(0, length, true);
    const vector = new DuckDBBlobVector(record, isThere as never, undefined as never, 0, 1);
    return vector.getItemBytes(0) ?? new Uint8Array(0);
  };
}

/** Whether the engine ran out of what it may use. */
export function outOfMemory(error: unknown): DynamosError | undefined {
  return error instanceof Error && /^Out of Memory Error/.test(error.message)
    ? new DynamosError(
        ErrorCode.WORKER_OUT_OF_MEMORY,
        "the query needs more memory than it may have: narrow it down or aggregate",
        { cause: error },
      )
    : undefined;
}
