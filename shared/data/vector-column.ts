/** A vector of the engine as a column of a table: its memory is copied or widened, no value is made of a cell. */
import type { DuckDBType, DuckDBVector } from "@duckdb/node-api";
import type { Data } from "apache-arrow";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { ColumnBuffer } from "./column-buffer.ts";
import type { Cell, ColumnSpec } from "./column-kind.ts";
import { bytesOf, columnOf } from "./column-memory.ts";
import { shorten } from "./shorten.ts";
import { bitAt, countBits, setBit } from "./validity-bits.ts";
import { type VectorMemory, vectorMemory } from "./vector-memory.ts";
import { checkTexts, type ReadPointer, vectorText } from "./vector-text.ts";

export interface VectorKind {
  readonly spec: Omit<ColumnSpec, "name">;
  /** Bytes of one value in the engine's vector; absent: its values are asked for one by one. */
  readonly width?: number;
  /** Those bytes as a column has them; absent: as they are. */
  readonly widen?: (memory: VectorMemory, rows: number) => Uint8Array;
  /** Throws what its column would throw; absent: that throws nothing. */
  readonly check?: (memory: VectorMemory, rows: number) => void;
  /** One value, for what has no memory of its own and where the memory is not as it was. */
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

/** @param read for texts. @throws DynamosError TYPE_MISMATCH of a number that is too large */
export function vectorColumn(
  { spec, width, widen, convert }: VectorKind,
  vector: DuckDBVector,
  rows: number,
  read: ReadPointer,
): Data {
  const named = { ...spec, name: "" };
  const memory = width === undefined ? undefined : vectorMemory(vector, rows, width);
  const text = memory && spec.kind === "text" ? vectorText(memory, rows, read) : undefined;
  if (memory === undefined || (spec.kind === "text" && text === undefined))
    return fromCells(named, vector, rows, convert);
  const { validity } = memory;
  const nullCount = validity === null ? 0 : rows - countBits({ bits: validity, at: 0 }, rows);
  const values = widen === undefined ? memory.values : widen(memory, rows);
  return columnOf(named, { rows, nullCount, validity, ...(text ?? { values }) });
}

/**
 * For a vector of which no column is made.
 * @throws DynamosError as `vectorColumn` does
 */
export function checkVector({ width, check, convert }: VectorKind, vector: DuckDBVector, rows: number): void {
  if (check === undefined || width === undefined) return;
  const memory = vectorMemory(vector, rows, width);
  if (memory !== undefined) {
    check(memory, rows);
    return;
  }
  for (let row = 0; row < rows; row++) {
    const value = vector.getItem(row) ?? null;
    if (value !== null) convert(value as never);
  }
}

/** @throws DynamosError TYPE_MISMATCH naming the column */
export function vectorKind(type: DuckDBType, column: string): VectorKind {
  const int64 = { spec: { kind: "int64" }, convert: (value: number) => BigInt(value) } as const;
  switch (type.typeId as number) {
    case typeIds.BOOLEAN:
      return { spec: { kind: "boolean" }, width: 1, widen: packed, convert: (value: boolean) => value };
    case typeIds.TINYINT:
      return { ...int64, width: 1, widen: widened(Int8Array, 2) };
    case typeIds.SMALLINT:
      return { ...int64, width: 2, widen: widened(Int16Array, 2) };
    case typeIds.INTEGER:
      return { ...int64, width: 4, widen: widened(Int32Array, 2) };
    case typeIds.UTINYINT:
      return { ...int64, width: 1, widen: widened(Uint8Array, 2) };
    case typeIds.USMALLINT:
      return { ...int64, width: 2, widen: widened(Uint16Array, 2) };
    case typeIds.UINTEGER:
      return { ...int64, width: 4, widen: widened(Uint32Array, 2) };
    case typeIds.SQLNULL:
      return int64;
    case typeIds.BIGINT:
      return { spec: { kind: "int64" }, width: 8, convert: (value: bigint) => value };
    case typeIds.UBIGINT:
      return { ...integer38(column), width: 8, widen: (memory, rows) => widened64(memory, rows, false) };
    case typeIds.HUGEINT:
      return { ...integer38(column), width: 16, ...checked38(column, true) };
    case typeIds.UHUGEINT:
      return { ...integer38(column), width: 16, ...checked38(column, false) };
    case typeIds.FLOAT:
      return { spec: { kind: "double" }, width: 4, widen: doubles, convert: (value: number) => value };
    case typeIds.DOUBLE:
      return { spec: { kind: "double" }, width: 8, convert: (value: number) => value };
    case typeIds.DECIMAL:
      return decimalKind(type as unknown as { width: number; scale: number });
    case typeIds.VARCHAR:
      return { spec: { kind: "text" }, width: 16, check: checkTexts, convert: (value: string) => value };
    case typeIds.DATE:
      return { spec: { kind: "date" }, width: 4, convert: ({ days }: { days: number }) => days };
    case typeIds.TIMESTAMP:
      return { spec: { kind: "timestamp" }, width: 8, convert: ({ micros }: { micros: bigint }) => micros };
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

function fromCells(spec: ColumnSpec, vector: DuckDBVector, rows: number, convert: VectorKind["convert"]): Data {
  const buffer = new ColumnBuffer(spec);
  for (let row = 0; row < rows; row++) {
    const value = vector.getItem(row) ?? null;
    buffer.push(value === null ? null : convert(value as never));
  }
  return buffer.take();
}

/** How many digits a decimal has says in how many bytes the engine holds it. */
function decimalKind({ width: precision, scale }: { width: number; scale: number }): VectorKind {
  const base = {
    spec: { kind: "decimal", precision, scale },
    convert: ({ value }: { value: bigint }) => value,
  } as const;
  if (precision <= 4) return { ...base, width: 2, widen: widened(Int16Array, 4) };
  if (precision <= 9) return { ...base, width: 4, widen: widened(Int32Array, 4) };
  if (precision <= 18) return { ...base, width: 8, widen: (memory, rows) => widened64(memory, rows, true) };
  return { ...base, width: 16 };
}

function integer38(column: string) {
  const spec = { kind: "decimal", precision: 38, scale: 0 } as const;
  return { spec, convert: (value: bigint) => fits38(value, column) };
}

type Integers = Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array;

/** Integers of up to 32 bits as two's complement of so many words of 32. */
function widened(
  Narrow: new (buffer: ArrayBufferLike, at: number, length: number) => Integers,
  words: 2 | 4,
): NonNullable<VectorKind["widen"]> {
  return ({ values }, rows) => {
    const narrow = new Narrow(values.buffer, values.byteOffset, rows);
    const wide = new Int32Array(rows * words);
    for (let row = 0; row < rows; row++) {
      const value = narrow[row] ?? 0;
      const at = row * words;
      wide[at] = value;
      if (value < 0) wide.fill(-1, at + 1, at + words);
    }
    return bytesOf(wide);
  };
}

function widened64({ values }: VectorMemory, rows: number, isSigned: boolean): Uint8Array {
  const narrow = new Int32Array(values.buffer, values.byteOffset, rows * 2);
  const wide = new Int32Array(rows * 4);
  for (let row = 0; row < rows; row++) {
    const high = narrow[row * 2 + 1] ?? 0;
    wide[row * 4] = narrow[row * 2] ?? 0;
    wide[row * 4 + 1] = high;
    if (isSigned && high < 0) wide.fill(-1, row * 4 + 2, row * 4 + 4);
  }
  return bytesOf(wide);
}

function packed({ values }: VectorMemory, rows: number): Uint8Array {
  const bits = new Uint8Array((rows + 7) >> 3);
  for (let row = 0; row < rows; row++) if (values[row] !== 0) setBit(bits, row);
  return bits;
}

function doubles({ values }: VectorMemory, rows: number): Uint8Array {
  return bytesOf(Float64Array.from(new Float32Array(values.buffer, values.byteOffset, rows)));
}

const limit38 = 10n ** 38n;
/** The highest word of a number that has certainly no more than 38 digits. */
const highWordMax = Math.floor(10 ** 38 / 2 ** 96) - 1;

function checked38(column: string, isSigned: boolean) {
  function check({ values, validity }: VectorMemory, rows: number): void {
    const words = new Int32Array(values.buffer, values.byteOffset, rows * 4);
    for (let row = 0; row < rows; row++) {
      const word = words[row * 4 + 3] ?? 0;
      const high = isSigned ? word : word >>> 0;
      if (Math.abs(high) < highWordMax || (validity !== null && !bitAt(validity, row))) continue;
      const [low = 0n, above = 0n] = new BigUint64Array(values.buffer, values.byteOffset + row * 16, 2);
      const value = (above << 64n) | low;
      fits38(isSigned ? BigInt.asIntN(128, value) : value, column);
    }
  }
  function widen(memory: VectorMemory, rows: number): Uint8Array {
    check(memory, rows);
    return memory.values;
  }
  return { check, widen };
}

function fits38(value: bigint, column: string): bigint {
  if (value >= limit38 || value <= -limit38) {
    throw new DynamosError(
      ErrorCode.TYPE_MISMATCH,
      `column ${column} has a number of more than 38 digits: use CAST(… AS VARCHAR)`,
    );
  }
  return value;
}
