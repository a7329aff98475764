/** A table by the rules of its columns, batch by batch. */
import { type Data, type RecordBatch, Schema } from "apache-arrow";
import type { DataSet, Table } from "#contracts";
import { batchOf } from "#data/arrow-stream";
import { type ColumnSpec, fieldOf } from "#data/column-kind";
import { passTable } from "#data/pass-table";
import { type Emit, tableSink } from "#data/table-sink";
import type { TableSource } from "#data/table-source";
import { type ColumnPlan, columnPlan } from "./anonymize-column.ts";

interface PlannedColumn {
  readonly spec: ColumnSpec;
  readonly plan: ColumnPlan;
  /** Whether a value was lost, because its rule could not be applied to it. */
  lossy: boolean;
}

/**
 * A column's rule is the one that came with it, else the one that a description of the party's
 * data sets gives to its name. A table without any goes on unread.
 */
export async function anonymizeTable(
  { table, source }: { readonly table: Table; readonly source: TableSource },
  dataSets: readonly DataSet[],
  emit: Emit,
): Promise<Table> {
  const ruleOf = describedRules(dataSets);
  const columns: PlannedColumn[] = source.specs.map((spec) => {
    const rule = spec.anonymize || (ruleOf.get(spec.name.toLowerCase()) ?? "");
    return { spec, plan: columnPlan(spec, rule), lossy: false };
  });
  if (columns.every(({ plan }) => plan.kind === "keep")) return passTable(table, source, emit);
  const schema = new Schema(columns.flatMap(keptSpec).map(fieldOf));
  const sink = tableSink(schema, emit);
  for await (const batch of source.batches()) {
    // Without a column there are no rows either.
    if (schema.fields.length > 0) await sink.write(anonymizedBatch(batch, columns, schema));
  }
  const remarks = [...(source.notes.remarks ?? []), ...columns.flatMap(remarkOf)];
  const { headOf: _, ...ofNoRows } = source.notes;
  const notes = schema.fields.length > 0 ? source.notes : ofNoRows;
  return sink.finish({ ...notes, ...(remarks.length === 0 ? {} : { remarks }) });
}

function describedRules(dataSets: readonly DataSet[]): Map<string, string> {
  const columns = dataSets.flatMap(({ tables }) => tables.flatMap((table) => table.columns));
  return new Map(
    columns.filter(({ anonymize }) => anonymize !== "").map(({ name, anonymize }) => [name.toLowerCase(), anonymize]),
  );
}

function keptSpec({ spec, plan }: PlannedColumn): ColumnSpec[] {
  if (plan.kind === "drop") return [];
  return [plan.kind === "keep" ? spec : plan.spec];
}

function anonymizedBatch(batch: RecordBatch, columns: readonly PlannedColumn[], schema: Schema): RecordBatch {
  const kept = columns.flatMap((column, place) => {
    if (column.plan.kind === "drop") return [];
    return [column.plan.kind === "keep" ? (batch.data.children[place] as Data) : changedData(batch, column, place)];
  });
  return batchOf(schema, batch.numRows, kept);
}

function changedData(batch: RecordBatch, column: PlannedColumn, place: number): Data {
  const { plan, spec } = column;
  if (plan.kind !== "change") throw new RangeError(`${spec.name} is not changed`);
  const given = batch.data.children[place] as Data;
  const changed = plan.change(given);
  if (changed.nullCount > given.nullCount) column.lossy = true;
  return changed;
}

function remarkOf({ plan, lossy }: PlannedColumn): string[] {
  if (plan.kind === "keep") return [];
  return [lossy ? `${plan.remark}; values that are no dates are null` : plan.remark];
}
