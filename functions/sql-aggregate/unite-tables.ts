/** The rows of several providers as one table. */
import { Schema } from "apache-arrow";
import { ErrorCode, type Table } from "#contracts";
import { fieldOf } from "#data/column-kind";
import type { TableNotes } from "#data/table-notes";
import { type Emit, tableSink } from "#data/table-sink";
import type { TableSource } from "#data/table-source";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { batchFitter } from "./fit-batch.ts";
import { unitedColumns } from "./unite-columns.ts";

export interface ProviderTable {
  readonly provider: string;
  readonly source: TableSource;
}

/**
 * Rows in the order of the tables given, none twice, none left out; never more than a batch of
 * them in memory.
 *
 * @param mayBeHeads whether heads were asked for. Else who calls its table one is not believed: the others' rows
 * would be left out.
 * @throws DynamosError SCHEMA_MISMATCH, RESULT_TOO_LARGE
 */
export async function uniteTables(given: readonly ProviderTable[], emit: Emit, mayBeHeads = false): Promise<Table> {
  const tables = mayBeHeads ? given : given.map(asWhole);
  checkRows(tables);
  const specs = unitedColumns(tables.map(({ provider, source }) => ({ provider, specs: source.specs })));
  const schema = new Schema(specs.map(fieldOf));
  const sink = tableSink(schema, emit);
  for (const { source } of tables) {
    const fitted = batchFitter(source.specs, specs, schema);
    for await (const batch of source.batches()) await sink.write(fitted(batch));
    // What stands after a head in the union is not after it in the union's head.
    if (source.headOf !== undefined) break;
  }
  return sink.finish(unitedNotes(tables));
}

function asWhole({ provider, source }: ProviderTable): ProviderTable {
  return { provider, source: { ...source, headOf: undefined } };
}

/** Before anything is read: the union is as long as its parts, and that of heads as what they are the heads of. */
function checkRows(tables: readonly ProviderTable[]): void {
  const rows = rowsOf(tables);
  if (rows <= limits.tableRowsMax) return;
  const message = `the providers' rows together are ${rows}, over the limit of ${limits.tableRowsMax}`;
  throw new DynamosError(ErrorCode.RESULT_TOO_LARGE, message);
}

function rowsOf(tables: readonly ProviderTable[]): number {
  return tables.reduce((sum, { source }) => sum + (source.headOf ?? source.rows), 0);
}

function unitedNotes(tables: readonly ProviderTable[]): TableNotes {
  const all = tables.map(({ provider, source }) => ({ provider, notes: source.notes }));
  const measure = all.find(({ notes }) => notes.measure !== undefined)?.notes.measure;
  const remarks = all.flatMap(({ provider, notes }) => (notes.remarks ?? []).map((remark) => `${provider}: ${remark}`));
  const isHead = tables.some(({ source }) => source.headOf !== undefined);
  return {
    ...(measure === undefined ? {} : { measure }),
    ...(remarks.length === 0 ? {} : { remarks }),
    ...(isHead ? { headOf: rowsOf(tables) } : {}),
  };
}
