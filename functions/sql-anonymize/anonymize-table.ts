/** A table by the rules of its columns. */
import type { DataSet, Table } from "#contracts";
import type { Cell } from "#data/column-kind";
import { buildTable } from "#data/table-builder";
import { notesOf, withNotes } from "#data/table-notes";
import { type ColumnView, type TableView, viewTable } from "#data/table-view";
import { anonymizeColumn } from "./anonymize-column.ts";

/**
 * A column's rule is the one that came with it, else the one that a description of the party's
 * data sets gives to its name.
 */
export function anonymizeTable(table: Table, dataSets: readonly DataSet[]): Table {
  const view = viewTable(table);
  const ruleOf = describedRules(dataSets);
  const results = view.columns.map((column) => {
    const { anonymize, name } = column.spec;
    return anonymizeColumn(column, anonymize || (ruleOf.get(name.toLowerCase()) ?? ""));
  });
  const remarks = results.flatMap(({ remark }) => remark ?? []);
  if (remarks.length === 0) return table;
  const kept = results.flatMap(({ column }) => column ?? []);
  const notes = notesOf(table);
  return withNotes(rebuilt(kept, view), { ...notes, remarks: [...(notes.remarks ?? []), ...remarks] });
}

function describedRules(dataSets: readonly DataSet[]): Map<string, string> {
  const columns = dataSets.flatMap(({ tables }) => tables.flatMap((table) => table.columns));
  return new Map(
    columns.filter(({ anonymize }) => anonymize !== "").map(({ name, anonymize }) => [name.toLowerCase(), anonymize]),
  );
}

function rebuilt(columns: readonly ColumnView[], { rows }: TableView): Table {
  const builder = buildTable(columns.map(({ spec }) => spec));
  if (columns.length === 0) return builder.finish();
  const row: Cell[] = new Array(columns.length).fill(null);
  for (let at = 0; at < rows; at += 1) {
    columns.forEach(({ cells }, index) => {
      row[index] = cells[at] ?? null;
    });
    builder.push(row);
  }
  return builder.finish();
}
