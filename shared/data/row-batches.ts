/** Rows as record batches: large enough to be cheap, small enough to be a chunk. */
import { type Data, type RecordBatch, Schema } from "apache-arrow";
import { batchOf } from "./arrow-stream.ts";
import { ColumnBuffer } from "./column-buffer.ts";
import { type Cell, type ColumnSpec, fieldOf } from "./column-kind.ts";

/** How much a batch holds: it ends with so many rows, or at the next look when it has more bytes. */
export interface BatchSize {
  /** A multiple of those between two looks. */
  readonly rows: number;
  readonly bytes: number;
  /** The sum over the columns costs more than a row. */
  readonly rowsBetweenLooks: number;
}

const usual: BatchSize = { rows: 32_768, bytes: 1_048_576, rowsBetweenLooks: 256 };

export interface RowBatches {
  readonly schema: Schema;
  /** Cells in the order of the columns. @returns a batch when this row has filled it */
  push(row: readonly Cell[]): RecordBatch | undefined;
  /** The same rows as columns of the types given, in their order. @returns the batches that these have filled */
  pushColumns(given: readonly Data[], count: number): Generator<RecordBatch>;
  /** @returns what is left, if anything is */
  rest(): RecordBatch | undefined;
}

/**
 * @param specs whose names are made unique
 * @param first of the first batch
 */
export function rowBatches(specs: readonly ColumnSpec[], first: BatchSize = usual): RowBatches {
  const names = uniqueNames(specs.map(({ name }) => name));
  const columns = specs.map((spec, i) => ({ ...spec, name: names[i] ?? spec.name }));
  const schema = new Schema(columns.map(fieldOf));
  const buffers = columns.map((spec) => new ColumnBuffer(spec));
  let size = first;
  let rows = 0;

  function rest(): RecordBatch | undefined {
    if (rows === 0) return undefined;
    const batch = batchOf(
      schema,
      rows,
      buffers.map((buffer) => buffer.take()),
    );
    rows = 0;
    size = usual;
    return batch;
  }

  function isFull(): boolean {
    return rows === size.rows || (rows % size.rowsBetweenLooks === 0 && bytesOf(buffers) > size.bytes);
  }

  function* pushColumns(given: readonly Data[], count: number): Generator<RecordBatch> {
    for (let from = 0; from < count; ) {
      const { rowsBetweenLooks } = size;
      const to = Math.min(count, from + rowsBetweenLooks - (rows % rowsBetweenLooks));
      for (const [i, buffer] of buffers.entries()) buffer.append(given[i] as Data, from, to);
      rows += to - from;
      from = to;
      const full = isFull() ? rest() : undefined;
      if (full !== undefined) yield full;
    }
  }

  return {
    schema,
    push: (row) => {
      for (const [i, buffer] of buffers.entries()) buffer.push(row[i] ?? null);
      rows += 1;
      return isFull() ? rest() : undefined;
    },
    pushColumns,
    rest,
  };
}

function bytesOf(buffers: readonly ColumnBuffer[]): number {
  return buffers.reduce((sum, buffer) => sum + buffer.bytes, 0);
}

/** `SELECT *` over a join has names twice: the second `Unieknr` becomes `Unieknr_1`, so that no column is lost. */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let i = 1; taken.has(unique); i++) unique = `${name}_${i}`;
    taken.add(unique);
    return unique;
  });
}
