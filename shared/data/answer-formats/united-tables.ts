/** The tables of several parties as one, for the formats that hold one table. */
import type { ColumnSpec } from "../column-kind.ts";
import { kindText } from "../column-kind.ts";
import type { TableSource } from "../table-source.ts";

export interface PartyTable {
  readonly party: string;
  readonly source: TableSource;
}

export interface UnitedTables {
  readonly parts: readonly PartyTable[];
  /** Of every part. */
  readonly specs: readonly ColumnSpec[];
  /** Whether a first column says whose row it is. */
  readonly named: boolean;
}

/** Name of that first column. */
export const partyColumn = "party";

/**
 * @param named with a first column for the party; one table alone may go without
 * @returns why not, as a clause for people, when they do not have the same columns
 */
export function uniteTables(parts: readonly PartyTable[], named: boolean): UnitedTables | string {
  const [first, ...others] = parts;
  if (first === undefined) return "no result holds a table";
  const { specs } = first.source;
  if (named && specs.some(({ name }) => name.toLowerCase() === partyColumn)) {
    return `the tables have a column ${partyColumn} of their own`;
  }
  const other = others.find(({ source }) => signatureOf(source.specs) !== signatureOf(specs));
  return other === undefined
    ? { parts, specs, named }
    : `the tables of ${first.party} and ${other.party} do not have the same columns`;
}

/** Anonymised values do not mean what others' do, so they are not of the same column. */
function signatureOf(specs: readonly ColumnSpec[]): string {
  return JSON.stringify(specs.map((spec) => [spec.name, kindText(spec), spec.anonymized ?? ""]));
}
