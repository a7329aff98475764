/** The answer of the original's one algorithm, in its shape and with its names. */
import { type Algorithm as Asked, type Document, ErrorCode } from "#contracts";
import { isNumeric, kindText } from "#data/column-kind";
import { columnNamed } from "#data/find-column";
import type { TableView } from "#data/table-view";
import { DynamosError } from "#errors";
import { valuesOf } from "./compute.ts";
import { doubleSum, roundedText, sumOf } from "./exact.ts";
import { groupRows } from "./group-rows.ts";

const genderColumn = "Geslacht";
const salaryColumn = "Salschal";
/** The same over the table, for those who read no document. */
export const averagesOver: Asked = { name: "average", column: salaryColumn, groupBy: [genderColumn] };

const keyOfGender: ReadonlyMap<unknown, string> = new Map([
  ["M", "avg_salary_scale_men"],
  ["V", "avg_salary_scale_women"],
]);

/**
 * The shape has no place for another column or other groups, so who asks for them is told.
 *
 * @throws DynamosError INVALID_REQUEST
 */
export function checkAveragesAsked({ column, groupBy }: Asked): void {
  const isOther = (name: string, own: string) => name.toLowerCase() !== own.toLowerCase();
  const field =
    column !== "" && isOther(column, salaryColumn)
      ? "column"
      : groupBy.some((name) => isOther(name, genderColumn))
        ? "groupBy"
        : undefined;
  if (field === undefined) return;
  const message = `averages is the mean of ${salaryColumn} by ${genderColumn} and takes no other ${field}: ask for average`;
  throw new DynamosError(ErrorCode.INVALID_REQUEST, message);
}

/**
 * `{"avg_salary_scale_men":"11.877","avg_salary_scale_women":"10.597"}`: means of Salschal, three
 * digits; without the key of a gender that nobody has.
 *
 * @throws DynamosError UNKNOWN_COLUMN, TYPE_MISMATCH
 */
export function averagesDocument({ rows, columns }: TableView): Document {
  const gender = columnNamed(columns, genderColumn);
  const salary = columnNamed(columns, salaryColumn);
  if (!isNumeric(salary.spec)) {
    throw new DynamosError(
      ErrorCode.TYPE_MISMATCH,
      `averages needs numbers, and the column ${salary.spec.name} is ${kindText(salary.spec)}`,
    );
  }
  const averages: Record<string, string> = {};
  for (const group of groupRows([gender], rows)) {
    const key = keyOfGender.get(group.key[0]);
    const given = valuesOf(salary.spec, salary.cells, group.rows);
    if (key === undefined || given.values.length === 0) continue;
    const count = given.values.length;
    averages[key] =
      given.kind === "exact"
        ? roundedText(sumOf(given.values), BigInt(count) * 10n ** BigInt(given.scale), 3)
        : (doubleSum(given.values) / count).toFixed(3);
  }
  return { mediaType: "application/json", body: Buffer.from(JSON.stringify(averages)) };
}
