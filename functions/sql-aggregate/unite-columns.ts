/** The columns of a union: by name, and of a type that holds each provider's values without loss. */
import { ErrorCode } from "#contracts";
import { type ColumnSpec, kindText } from "#data/column-kind";
import { listed } from "#domain/by-name";
import { DynamosError } from "#errors";

export interface NamedTable {
  readonly provider: string;
  readonly specs: readonly ColumnSpec[];
}

interface NamedColumn {
  readonly provider: string;
  readonly spec: ColumnSpec;
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
  return (first?.specs ?? []).map(({ name }) => unitedColumn(tables.map((table) => columnOf(table, name))));
}

function columnOf({ provider, specs }: NamedTable, name: string): NamedColumn {
  const spec = specs.find((one) => one.name === name);
  if (spec === undefined) throw new RangeError(`${provider} has no column ${name}`);
  return { provider, spec };
}

function checkSameNames(a: NamedTable, b: NamedTable): void {
  const missing = (from: NamedTable, other: NamedTable) => {
    const there = new Set(from.specs.map(({ name }) => name));
    return other.specs.map(({ name }) => name).filter((name) => !there.has(name));
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
  const filled = columns.filter(({ spec }) => spec.empty === undefined);
  const [start, ...rest] = filled.length > 0 ? filled : columns.slice(0, 1);
  if (start === undefined) throw new RangeError("a union of no tables");
  let united = start.spec;
  for (const other of rest) {
    checkSameMeaning(start, other);
    const { provider, spec } = other;
    const wider = wideEnoughFor(united, spec);
    if (wider === undefined) {
      throw mismatch(
        `the column ${united.name} is ${kindText(start.spec)} at ${start.provider} and ${kindText(spec)} at ${provider}`,
      );
    }
    united = wider;
  }
  const { empty: _, ...known } = united;
  return { ...known, ...describing(columns.filter((one) => ruleApplied(one) === ruleApplied(start))) };
}

/** A year and a day, or a mask and a name, may have one type and do not belong in one column. */
function checkSameMeaning(a: NamedColumn, b: NamedColumn): void {
  if (ruleApplied(a) === ruleApplied(b)) return;
  const states = [a, b].map((one) => `${anonymisation(ruleApplied(one))} at ${one.provider}`);
  throw mismatch(
    `the column ${a.spec.name} is ${states.join(" and ")}: ask for the same at all, with the option anonymize, and let each data set's description give the column one rule`,
  );
}

function ruleApplied({ spec }: NamedColumn): string {
  return spec.anonymized ?? "";
}

function anonymisation(rule: string): string {
  return rule === "" ? "not anonymised" : `anonymised (${rule})`;
}

/** For people, from whoever says it first; a rule of one holds for all. */
function describing(columns: readonly NamedColumn[]): Partial<ColumnSpec> {
  const said = (key: "title" | "unit" | "anonymize") => {
    const value = columns.map(({ spec }) => spec[key]).find((text) => text !== undefined && text !== "");
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
