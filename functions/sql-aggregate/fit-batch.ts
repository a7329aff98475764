/** One provider's record batches in the columns of the union. */
import type { Data, RecordBatch, Schema } from "apache-arrow";
import { batchOf } from "#data/arrow-stream";
import { ColumnBuffer } from "#data/column-buffer";
import { type ColumnSpec, kindText } from "#data/column-kind";
import { type ColumnView, viewBatches } from "#data/table-view";

/** Columns of the same type go over as they are, whatever their place; only those that get wider are decoded. */
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
      return kindText(given) === kindText(spec) ? data : widened(columnOf(batch, given, place), spec);
    });
    return batchOf(schema, batch.numRows, columns);
  };
}

function columnOf(batch: RecordBatch, spec: ColumnSpec, place: number): ColumnView {
  const alone = batch.selectAt([place]);
  return viewBatches([spec], [alone]).columns[0] as ColumnView;
}

/** A column without values has the wrong type at most in name. */
function widened({ spec, cells }: ColumnView, to: ColumnSpec): Data {
  const factor = rescaling(spec, to);
  const buffer = new ColumnBuffer(to);
  for (const cell of cells) buffer.push(typeof cell === "bigint" ? cell * factor : cell);
  return buffer.take();
}

/** What an unscaled value is multiplied by when its column gets more digits after the point. */
function rescaling(from: ColumnSpec, to: ColumnSpec): bigint {
  return to.kind === "decimal"
    ? 10n ** BigInt((to.scale ?? 0) - (from.kind === "decimal" ? (from.scale ?? 0) : 0))
    : 1n;
}
