/** Columns by the name that a user gives: SQL's names ignore case. */
import { ErrorCode } from "#contracts";
import { listed } from "#domain/by-name";
import { DynamosError } from "#errors";
import type { ColumnSpec } from "./column-kind.ts";

interface Named {
  readonly spec: ColumnSpec;
}

/** The exact name first, then the same letters in another case. */
export function findColumn<Column extends Named>(columns: readonly Column[], name: string): Column | undefined {
  const folded = name.toLowerCase();
  return (
    columns.find(({ spec }) => spec.name === name) ?? columns.find(({ spec }) => spec.name.toLowerCase() === folded)
  );
}

/** @throws DynamosError UNKNOWN_COLUMN, which lists what there is */
export function columnNamed<Column extends Named>(columns: readonly Column[], name: string): Column {
  const found = findColumn(columns, name);
  if (found !== undefined) return found;
  const names = listed(columns.map(({ spec }) => spec.name));
  throw new DynamosError(ErrorCode.UNKNOWN_COLUMN, `the result has no column ${name}, only ${names}`);
}
