/** A column as Arrow holds it in memory. Source: Arrow Columnar Format, "Physical Memory Layout". */
import { type Data, makeData } from "apache-arrow";
import { type ColumnSpec, fieldOf } from "./column-kind.ts";

/** Bytes of one value; text and booleans have their own layout. */
export const widths = { int64: 8, decimal: 16, double: 8, date: 4, timestamp: 8 } as const;

export interface ColumnMemory {
  readonly rows: number;
  readonly nullCount: number;
  /** Null: there are no nulls. */
  readonly validity: Uint8Array | null;
  /** From an offset that is a multiple of eight. Booleans as bits, decimals as two's complement of 128 bits. */
  readonly values: Uint8Array;
  /** Of texts, where each begins among the values, and where the last one ends. */
  readonly offsets?: Int32Array;
}

export function columnOf(spec: ColumnSpec, { rows, nullCount, validity, values, offsets }: ColumnMemory): Data {
  const props = { type: fieldOf(spec).type, length: rows, nullCount, nullBitmap: nullCount === 0 ? null : validity };
  const data = typed(spec, values);
  // The types of makeData tie the buffers to the type; ours is known only at run time.
  return makeData((offsets === undefined ? { ...props, data } : { ...props, data, valueOffsets: offsets }) as never);
}

function typed({ kind }: ColumnSpec, { buffer, byteOffset, byteLength }: Uint8Array) {
  switch (kind) {
    case "text":
    case "boolean":
      return new Uint8Array(buffer, byteOffset, byteLength);
    case "double":
      return new Float64Array(buffer, byteOffset, byteLength / 8);
    case "date":
      return new Int32Array(buffer, byteOffset, byteLength / 4);
    case "decimal":
      return new Uint32Array(buffer, byteOffset, byteLength / 4);
    case "int64":
    case "timestamp":
      return new BigInt64Array(buffer, byteOffset, byteLength / 8);
  }
}

/** The memory behind a typed array. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
