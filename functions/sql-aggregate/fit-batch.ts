/** One provider's record batches in the columns of the union. */
import type { Data, RecordBatch, Schema } from "apache-arrow";
import { batchOf } from "#data/arrow-stream";
import { type ColumnSpec, kindText } from "#data/column-kind";
import { widenedColumn } from "./widen-column.ts";

/** Columns of the same type go over as they are, whatever their place; only those that get wider are read. */
export function batchFitter(
  from: readonly ColumnSpec[],
  to: readonly ColumnSpec[],
  schema: Schema,
): (batch: RecordBatch) => RecordBatch {
  const places = to.map(({ name }) => from.findIndex((spec) => spec.name === name));
  return (batch) => {
    const columns = to.map((spec, i) => {
      const place = places[i] ?? -1;
      const data = batch.data.children[place] as Data;
      const given = from[place] as ColumnSpec;
      return kindText(given) === kindText(spec) ? data : widenedColumn(data, given, spec);
    });
    return batchOf(schema, batch.numRows, columns);
  };
}
