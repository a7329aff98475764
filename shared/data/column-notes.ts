/** What the catalogue's descriptions say of the columns of a query's result. */
import type { TableDescription } from "#contracts";
import type { ColumnUses } from "./column-uses.ts";
import type { Notes } from "./duckdb-table.ts";

/**
 * Titles and units go to columns that come out as they are; rules to whatever bears the name,
 * rather to one too many. Where two tables describe one name differently, neither title is given.
 *
 * @param tables those that the query reads
 */
export function columnNotes(tables: readonly TableDescription[], uses: ColumnUses): Notes {
  const notes = new Map<string, { title: string; unit: string; anonymize: string }>();
  for (const { name, title, unit, anonymize } of tables.flatMap(({ columns }) => columns)) {
    const key = name.toLowerCase();
    const known = notes.get(key);
    const told = uses.isAsItWas(key) ? { title, unit } : { title: "", unit: "" };
    const isOne = known === undefined || (known.title === told.title && known.unit === told.unit);
    notes.set(key, {
      ...(isOne ? told : { title: "", unit: "" }),
      anonymize: known?.anonymize || anonymize,
    });
  }
  return notes;
}

export interface Protected {
  /** Those that the query reads. */
  readonly tables: readonly TableDescription[];
  /** By table, the permitted columns. */
  readonly columns: ReadonlyMap<string, readonly string[]>;
  readonly uses: ColumnUses;
  /** The names of the result's columns. */
  readonly result: readonly string[];
}

/**
 * For the asker: what a session that protects columns gave in their place, where sql-anonymize
 * can't say it because the column comes out under another name or went into something else.
 */
export function protectedRemarks({ tables, columns, uses, result }: Protected): string[] {
  const names = new Set(result.map((name) => name.toLowerCase()));
  const isTold = (column: string) => names.has(column) && uses.isAsItWas(column) && !uses.takesUnnamed;
  const remarks = tables.flatMap((table) =>
    table.columns
      .filter(({ name, anonymize }) => anonymize !== "" && columns.get(table.name)?.includes(name))
      // `SELECT Gebdat`, and no more than that, is told where the column gets its final form.
      .filter(({ name }) => {
        const key = name.toLowerCase();
        return uses.renamesUnnamed || uses.named(key) > (isTold(key) ? 1 : 0);
      })
      .map(({ name, anonymize }) => `wherever the query uses ${name} it reads ${inPlaceOf(anonymize)}`),
  );
  return [...new Set(remarks)];
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
