/** What a vector of the engine holds, where it can be had without making a value of each cell. */
import type { DuckDBVector } from "@duckdb/node-api";

export interface VectorMemory {
  /** As many bytes as the rows take. */
  readonly values: Uint8Array;
  /** A bit a row; null: there are no nulls. What the values hold under a null may be anything. */
  readonly validity: Uint8Array | null;
}

/** As the engine's binding has its vectors; not part of what it promises, so each is looked at. */
interface Inside {
  readonly items?: unknown;
  readonly dataView?: unknown;
  readonly validity?: { readonly data?: unknown; readonly offset?: unknown };
}

/** @returns undefined where the vector is not made as it is known here: then its values must be asked for one by one */
export function vectorMemory(vector: DuckDBVector, rows: number, width: number): VectorMemory | undefined {
  const { items, dataView, validity } = vector as unknown as Inside;
  const view = items ?? dataView;
  if (!ArrayBuffer.isView(view) || view.byteLength < rows * width || validity?.offset !== 0) return undefined;
  const values = new Uint8Array(view.buffer, view.byteOffset, rows * width);
  const bits = validity.data;
  if (bits === null) return { values, validity: null };
  if (!ArrayBuffer.isView(bits) || bits.byteLength * 8 < rows) return undefined;
  return { values, validity: new Uint8Array(bits.buffer, bits.byteOffset, (rows + 7) >> 3) };
}
