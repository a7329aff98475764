/** What becomes of one column by its rule. What the rule can't be applied to does not go on. */
import type { Cell, ColumnSpec } from "#data/column-kind";
import { yearColumn } from "./year-of.ts";

export type ColumnPlan =
  | { readonly kind: "keep" }
  /** @param remark for the asker; holds no value */
  | { readonly kind: "drop"; readonly remark: string }
  | {
      readonly kind: "change";
      readonly spec: ColumnSpec;
      /** Null for what the rule can't be applied to. */
      readonly convert: (cell: Exclude<Cell, null>) => Cell;
      readonly remark: string;
    };

const maskText = "***";

/**
 * - `year`: dates become their year, of the same kind (`yyyymmdd` 19900101 → 1990, text → text;
 *   DATE and TIMESTAMP → whole number). A value that is no date becomes null.
 * - `mask`: every value, of any type, becomes the text `***`; null stays null.
 * - `drop`: the column is left out; so it is for a rule that nobody knows.
 */
export function columnPlan(spec: ColumnSpec, rule: string): ColumnPlan {
  const { name } = spec;
  switch (rule) {
    case "":
      return { kind: "keep" };
    case "year":
      return yearPlan(spec);
    case "mask": {
      const masked = changed(spec, { kind: "text", anonymized: rule });
      return { kind: "change", spec: masked, convert: () => maskText, remark: `${name} is masked` };
    }
    case "drop":
      return { kind: "drop", remark: `${name} is left out` };
    default:
      return { kind: "drop", remark: `${name} is left out: its rule ${rule} is not known` };
  }
}

function yearPlan(spec: ColumnSpec): ColumnPlan {
  const { name, kind, title } = spec;
  const year = yearColumn(spec);
  if (year === undefined) {
    return { kind: "drop", remark: `${name} is left out: a column of type ${kind} can't be cut to the year` };
  }
  const described = { kind: year.kind, anonymized: "year", ...(title ? { title: `${title} (year)` } : {}) };
  return { kind: "change", spec: changed(spec, described), convert: year.yearOf, remark: `${name} is cut to the year` };
}

/** Its own rule is carried out and goes no further. */
function changed({ name, title, unit }: ColumnSpec, change: Omit<ColumnSpec, "name">): ColumnSpec {
  return { name, ...(title ? { title } : {}), ...(unit ? { unit } : {}), ...change };
}
