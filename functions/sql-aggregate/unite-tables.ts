/** The rows of several providers as one table. */
import { ErrorCode, type Table } from "#contracts";
import type { Cell, ColumnSpec } from "#data/column-kind";
import { concatTables } from "#data/concat-tables";
import { buildTable } from "#data/table-builder";
import { notesOf, type TableNotes, withNotes } from "#data/table-notes";
import { viewTable } from "#data/table-view";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { columnOf, type NamedTable, unitedColumns } from "./unite-columns.ts";

export interface ProviderTable {
  readonly provider: string;
  readonly table: Table;
}

/**
 * Rows in the order of the tables given, none twice, none left out.
 *
 * @throws DynamosError SCHEMA_MISMATCH, RESULT_TOO_LARGE
 */
export function uniteTables(tables: readonly ProviderTable[]): Table {
  checkSize(tables);
  const alike = concatTables(tables.map(({ table }) => table));
  return withNotes(alike ?? widened(tables), unitedNotes(tables));
}

/** Columns that differ in order or width are decoded and built anew. */
function widened(tables: readonly ProviderTable[]): Table {
  const views = tables.map(({ provider, table }) => ({ provider, view: viewTable(table) }));
  const specs = unitedColumns(views);
  const builder = buildTable(specs);
  for (const view of views) pushRows(builder, view, specs);
  return builder.finish();
}

/** Before anything is decoded: the union is as large as its parts. */
function checkSize(tables: readonly ProviderTable[]): void {
  const bytes = tables.reduce((sum, { table }) => sum + table.arrowIpc.length, 0);
  const rows = tables.reduce((sum, { table }) => sum + table.rows, 0);
  if (bytes <= limits.tableBytesMax && rows <= limits.tableRowsMax) return;
  const message = `the providers' rows together are ${rows} rows and ${bytes} bytes, over the limit of ${limits.tableRowsMax} rows or ${limits.tableBytesMax} bytes`;
  throw new DynamosError(ErrorCode.RESULT_TOO_LARGE, message);
}

function pushRows(builder: ReturnType<typeof buildTable>, table: NamedTable, specs: readonly ColumnSpec[]): void {
  const columns = specs.map((spec) => {
    const { column } = columnOf(table, spec.name);
    return { cells: column.cells, factor: rescaling(column.spec, spec) };
  });
  const row: Cell[] = new Array(columns.length).fill(null);
  for (let at = 0; at < table.view.rows; at += 1) {
    columns.forEach(({ cells, factor }, index) => {
      const cell = cells[at] ?? null;
      row[index] = factor === 1n || typeof cell !== "bigint" ? cell : cell * factor;
    });
    builder.push(row);
  }
}

/** What an unscaled value is multiplied by when its column gets more digits after the point. */
function rescaling(from: ColumnSpec, to: ColumnSpec): bigint {
  return to.kind === "decimal"
    ? 10n ** BigInt((to.scale ?? 0) - (from.kind === "decimal" ? (from.scale ?? 0) : 0))
    : 1n;
}

function unitedNotes(tables: readonly ProviderTable[]): TableNotes {
  const all = tables.map(({ provider, table }) => ({ provider, notes: notesOf(table) }));
  const measure = all.find(({ notes }) => notes.measure !== undefined)?.notes.measure;
  const remarks = all.flatMap(({ provider, notes }) => (notes.remarks ?? []).map((remark) => `${provider}: ${remark}`));
  return { ...(measure === undefined ? {} : { measure }), ...(remarks.length === 0 ? {} : { remarks }) };
}
