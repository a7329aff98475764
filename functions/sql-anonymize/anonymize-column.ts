/** What becomes of one column by its rule. What the rule can't be applied to does not go on. */
import type { Data } from "apache-arrow";
import type { ColumnSpec } from "#data/column-kind";
import { cutToYear, masked } from "./change-column.ts";
import { yearColumn } from "./year-of.ts";

export type ColumnPlan =
  | { readonly kind: "keep" }
  /** @param remark for the asker; holds no value */
  | { readonly kind: "drop"; readonly remark: string }
  | {
      readonly kind: "change";
      readonly spec: ColumnSpec;
      /** Null for what the rule can't be applied to. */
      readonly change: (column: Data) => Data;
      readonly remark: string;
    };

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
      const to = changed(spec, { kind: "text", anonymized: rule });
      return { kind: "change", spec: to, change: (column) => masked(column, to), remark: `${name} is masked` };
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
  const to = changed(spec, described);
  const remark = `${name} is cut to the year`;
  return { kind: "change", spec: to, change: (column) => cutToYear(column, to, year), remark };
}

/** Its own rule is carried out and goes no further. */
function changed({ name, title, unit }: ColumnSpec, change: Omit<ColumnSpec, "name">): ColumnSpec {
  return { name, ...(title ? { title } : {}), ...(unit ? { unit } : {}), ...change };
}
