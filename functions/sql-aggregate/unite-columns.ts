/** The columns of a union: by name, and of a type that holds each provider's values without loss. */
import { ErrorCode } from "#contracts";
import { type ColumnSpec, kindText } from "#data/column-kind";
import type { ColumnView, TableView } from "#data/table-view";
import { listed } from "#domain/by-name";
import { DynamosError } from "#errors";

export interface NamedTable {
  readonly provider: string;
  readonly view: TableView;
}

interface NamedColumn {
  readonly provider: string;
  readonly column: ColumnView;
}

const digitsMax = 38;
/** Of the largest 64-bit number. */
const int64Digits = 19;

/**
 * In the order of the first table. A column that is null throughout fits any type: nobody could
 * tell what type it has.
 *
 * @param tables at least one
 * @throws DynamosError SCHEMA_MISMATCH, naming both providers, the column and what differs
 */
export function unitedColumns(tables: readonly NamedTable[]): ColumnSpec[] {
  const [first, ...others] = tables;
  for (const other of others) if (first !== undefined) checkSameNames(first, other);
  return (first?.view.columns ?? []).map(({ spec }) => unitedColumn(tables.map((table) => columnOf(table, spec.name))));
}

export function columnOf({ provider, view }: NamedTable, name: string): NamedColumn {
  const column = view.columns.find(({ spec }) => spec.name === name);
  if (column === undefined) throw new RangeError(`${provider} has no column ${name}`);
  return { provider, column };
}

function checkSameNames(a: NamedTable, b: NamedTable): void {
  const missing = (from: NamedTable, other: NamedTable) => {
    const there = new Set(from.view.columns.map(({ spec }) => spec.name));
    return other.view.columns.map(({ spec }) => spec.name).filter((name) => !there.has(name));
  };
  for (const [lacking, having] of [
    [b, a],
    [a, b],
  ] as const) {
    const names = missing(lacking, having);
    if (names.length > 0) {
      throw mismatch(`${having.provider} has the column ${listed(names)}, and ${lacking.provider} has not`);
    }
  }
}

function unitedColumn(columns: readonly NamedColumn[]): ColumnSpec {
  const filled = columns.filter(({ column }) => column.cells.some((cell) => cell !== null));
  const [start, ...rest] = filled.length > 0 ? filled : columns.slice(0, 1);
  if (start === undefined) throw new RangeError("a union of no tables");
  let united = start.column.spec;
  for (const other of rest) {
    checkSameMeaning(start, other);
    const { provider, column } = other;
    const wider = wideEnoughFor(united, column.spec);
    if (wider === undefined) {
      throw mismatch(
        `the column ${united.name} is ${kindText(start.column.spec)} at ${start.provider} and ${kindText(column.spec)} at ${provider}`,
      );
    }
    united = wider;
  }
  return { ...united, ...describing(columns.filter((one) => ruleApplied(one) === ruleApplied(start))) };
}

/** A year and a day, or a mask and a name, may have one type and do not belong in one column. */
function checkSameMeaning(a: NamedColumn, b: NamedColumn): void {
  if (ruleApplied(a) === ruleApplied(b)) return;
  const states = [a, b].map((one) => `${anonymisation(ruleApplied(one))} at ${one.provider}`);
  throw mismatch(
    `the column ${a.column.spec.name} is ${states.join(" and ")}: ask for the same at all, with the option anonymize, and let each data set's description give the column one rule`,
  );
}

function ruleApplied({ column }: NamedColumn): string {
  return column.spec.anonymized ?? "";
}

function anonymisation(rule: string): string {
  return rule === "" ? "not anonymised" : `anonymised (${rule})`;
}

/** For people, from whoever says it first; a rule of one holds for all. */
function describing(columns: readonly NamedColumn[]): Partial<ColumnSpec> {
  const said = (key: "title" | "unit" | "anonymize") => {
    const value = columns.map(({ column }) => column.spec[key]).find((text) => text !== undefined && text !== "");
    return value === undefined ? {} : { [key]: value };
  };
  return { ...said("title"), ...said("unit"), ...said("anonymize") };
}

/** @returns undefined where no type holds both */
function wideEnoughFor(a: ColumnSpec, b: ColumnSpec): ColumnSpec | undefined {
  const exact = (spec: ColumnSpec) => spec.kind === "int64" || spec.kind === "decimal";
  if (a.kind === b.kind && a.kind !== "decimal") return a;
  if (!exact(a) || !exact(b)) return undefined;
  const scale = Math.max(a.scale ?? 0, b.scale ?? 0);
  const precision = Math.max(wholeDigits(a), wholeDigits(b)) + scale;
  return precision <= digitsMax ? { ...a, kind: "decimal", precision, scale } : undefined;
}

function wholeDigits({ kind, precision, scale }: ColumnSpec): number {
  return kind === "int64" ? int64Digits : (precision ?? digitsMax) - (scale ?? 0);
}

function mismatch(message: string): DynamosError {
  return new DynamosError(ErrorCode.SCHEMA_MISMATCH, message);
}
