/**
 * Which columns there are for a user. SQL finds a table or column whatever the case of its name, so an
 * agreement that writes `salschal` means `Salschal`: what is allowed is compared as the engine compares,
 * which folds ASCII letters only; what is denied is compared more broadly, to hide rather too much.
 */
import type { ColumnList, TableColumns, Terms } from "#contracts";
import { compareNames } from "./by-name.ts";

type ColumnTerms = Pick<Terms, "columns"> & Partial<Pick<Terms, "deniedColumns">>;

/** Of the columns that a table has, those that there are for the user; in the same order and spelling. */
export function permittedColumns(terms: ColumnTerms, table: string, columns: readonly string[]): string[] {
  const allowed = terms.columns && columnsOf(terms.columns, table, asciiFolded);
  const denied = columnsOf(terms.deniedColumns, table, broadlyFolded) ?? new Set();
  return columns.filter(
    (column) =>
      (terms.columns === undefined || allowed?.has(asciiFolded(column))) && !denied.has(broadlyFolded(column)),
  );
}

/** Whether any column of a table may be there for the user, as far as the terms alone tell. */
export function isTablePermitted({ columns }: ColumnTerms, table: string): boolean {
  return columns === undefined || (columnsOf(columns, table, asciiFolded)?.size ?? 0) > 0;
}

/** The allowed columns without the denied ones; each table once, in order. */
export function columnsLeft(allowed: ColumnList | undefined, denied: ColumnList | undefined): ColumnList | undefined {
  if (allowed === undefined) return undefined;
  const tables = joined(allowed, asciiFolded).map(({ table, columns }) => ({
    table,
    columns: permittedColumns({ columns: undefined, deniedColumns: denied }, table, columns),
  }));
  return { tables };
}

/** What is denied of tables of which the allowed columns say nothing. */
export function columnsDenied(allowed: ColumnList | undefined, denied: ColumnList | undefined): ColumnList | undefined {
  if (denied === undefined) return undefined;
  const named = new Set(allowed?.tables.map(({ table }) => broadlyFolded(table)));
  const tables = joined(denied, broadlyFolded).filter(({ table }) => !named.has(broadlyFolded(table)));
  return tables.length === 0 ? undefined : { tables };
}

type Fold = (name: string) => string;

/** Undefined: no list names the table. */
function columnsOf(list: ColumnList | undefined, table: string, fold: Fold): Set<string> | undefined {
  const lists = list?.tables.filter((one) => fold(one.table) === fold(table)) ?? [];
  return lists.length === 0 ? undefined : new Set(lists.flatMap(({ columns }) => columns.map(fold)));
}

/** A table that is written in several spellings is one, and so is a column; the first spelling stays. */
function joined({ tables }: ColumnList, fold: Fold): TableColumns[] {
  const byTable = new Map<string, { table: string; columns: Map<string, string> }>();
  for (const { table, columns } of [...tables].sort((a, b) => compareNames(a.table, b.table))) {
    const entry = byTable.get(fold(table)) ?? { table, columns: new Map<string, string>() };
    byTable.set(fold(table), entry);
    for (const column of [...columns].sort(compareNames)) {
      if (!entry.columns.has(fold(column))) entry.columns.set(fold(column), column);
    }
  }
  return [...byTable.values()].map(({ table, columns }) => ({
    table,
    columns: [...columns.values()].sort(compareNames),
  }));
}

/** As the engine folds names. */
export function asciiFolded(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** For what is kept back: rather too much. */
export function broadlyFolded(name: string): string {
  return name.normalize("NFKC").toUpperCase().toLowerCase();
}
