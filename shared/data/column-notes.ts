/** What the catalogue's descriptions say of the columns of a query's result. */
import type { Column, TableDescription } from "#contracts";
import type { ColumnSpec } from "./column-kind.ts";
import { dependencies, type SourceColumn } from "./lineage/lineage.ts";
import type { QueryLineage } from "./lineage/query-lineage.ts";
import { folded } from "./lineage/tree.ts";

/** What the catalogue says of one column of the result; undefined: nothing. */
export type ColumnNote = Pick<ColumnSpec, "title" | "unit" | "anonymize"> | undefined;

/**
 * Title, unit and rule go to columns that come out as they are, whatever their name there.
 *
 * @param tables those that the query reads
 * @returns by place
 */
export function columnNotes(tables: readonly TableDescription[], lineage: QueryLineage): ColumnNote[] {
  if (!lineage.isCertain) return [];
  return lineage.columns.map(({ lineage: { source } }) => {
    const column = source && describedIn(tables, source);
    return column && { title: column.title, unit: column.unit, anonymize: column.anonymize };
  });
}

/**
 * For the asker: what a session that protects columns gave in their place, where sql-anonymize
 * can't say it because the column went into something else.
 */
export function protectedRemarks(tables: readonly TableDescription[], lineage: QueryLineage): string[] {
  const used = lineage.columns.flatMap((column) => {
    const isTold = column.lineage.source !== undefined && lineage.isCertain;
    return [...(isTold ? column.lineage.indirect : dependencies(column.lineage))];
  });
  const isUsed = (table: string, column: string) =>
    used.some((source) => source.table === table && folded(source.column) === folded(column));
  const remarks = tables.flatMap((table) =>
    table.columns
      .filter(({ name, anonymize }) => anonymize !== "" && isUsed(table.name, name))
      .map(({ name, anonymize }) => `wherever the query uses ${name} it reads ${inPlaceOf(anonymize)}`),
  );
  return [...new Set(remarks)];
}

function describedIn(tables: readonly TableDescription[], { table, column }: SourceColumn): Column | undefined {
  const description = tables.find(({ name }) => name === table);
  return description?.columns.find(({ name }) => folded(name) === folded(column));
}

function inPlaceOf(rule: string): string {
  switch (rule) {
    case "year":
      return "the first day of the year";
    case "mask":
      return "***";
    default:
      return "nothing";
  }
}
