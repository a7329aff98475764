/** The answer of the original's one algorithm, in its shape and with its names. */
import { type Algorithm as Asked, type Document, ErrorCode } from "#contracts";
import { averagesColumns } from "#data/averages-columns";
import { type ColumnSpec, isNumeric, kindText } from "#data/column-kind";
import { isNull, validityOf, type Whole } from "#data/column-values";
import { columnNamed } from "#data/find-column";
import { DynamosError } from "#errors";
import { exactTotal, isExact, measuresOf, unit } from "./accumulators.ts";
import { DoubleSum, roundedText } from "./exact.ts";
import { KeyCodes } from "./key-codes.ts";
import type { BatchConsumer, PlacedColumn } from "./read-columns.ts";

const { gender: genderColumn, salary: salaryColumn } = averagesColumns;
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

interface Mean {
  readonly exact: ReturnType<typeof exactTotal>;
  readonly double: DoubleSum;
  count: number;
}

export interface AveragesReader extends BatchConsumer {
  /**
   * `{"avg_salary_scale_men":"11.877","avg_salary_scale_women":"10.597"}`: means of Salschal, three
   * digits; without the key of a gender that nobody has, or too few.
   */
  finish(): Document;
}

/**
 * @param least values that a mean must be of
 * @throws DynamosError UNKNOWN_COLUMN, TYPE_MISMATCH
 */
export function averagesReader(columns: readonly PlacedColumn[], least: number): AveragesReader {
  const gender = columnNamed(columns, genderColumn);
  const salary = columnNamed(columns, salaryColumn);
  if (!isNumeric(salary.spec)) {
    throw new DynamosError(
      ErrorCode.TYPE_MISMATCH,
      `averages needs numbers, and the column ${salary.spec.name} is ${kindText(salary.spec)}`,
    );
  }
  const keys = new KeyCodes(gender.spec);
  const means = new Map([...keyOfGender.values()].map((key) => [key, newMean()]));
  /** By the code of the gender. */
  const meanOfCode: (Mean | undefined)[] = [];

  function add(mean: Mean, value: Whole): void {
    mean.count += 1;
    if (isExact(salary.spec)) mean.exact.add(value);
    else mean.double.add(value as number);
  }

  return {
    columns: [gender, salary],
    take: (rows, [genders, salaries]) => {
      if (genders === undefined || salaries === undefined) return;
      const codes = keys.codesOf(genders, rows);
      for (const cell of keys.cells.slice(meanOfCode.length)) meanOfCode.push(means.get(keyOfGender.get(cell) ?? ""));
      const validity = validityOf(salaries);
      const values = measuresOf(salaries, salary.spec);
      for (let row = 0; row < rows; row += 1) {
        const mean = meanOfCode[codes[row] as number];
        if (mean === undefined || isNull(validity, row)) continue;
        add(mean, values[row] as Whole);
      }
    },
    finish: () => {
      const averages = [...keyOfGender.values()].flatMap((key) => {
        const mean = means.get(key);
        return mean === undefined || mean.count === 0 || mean.count < least
          ? []
          : [[key, meanText(mean, salary.spec)] as const];
      });
      return { mediaType: "application/json", body: Buffer.from(JSON.stringify(Object.fromEntries(averages))) };
    },
  };
}

function newMean(): Mean {
  return { exact: exactTotal(), double: new DoubleSum(), count: 0 };
}

function meanText({ exact, double, count }: Mean, spec: ColumnSpec): string {
  return isExact(spec)
    ? roundedText(exact.total(), BigInt(count) * unit(spec.scale ?? 0), 3)
    : (double.total / count).toFixed(3);
}
