/** The type of each CSV column, by all of its values: only one that keeps every value as it is written. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { type DuckDBConnection, literal, quoted, rowsOf } from "./duckdb.ts";

/** What a catalogue may say of a column, and the engine's type for it. */
export const describedTypes: Readonly<Record<string, string>> = {
  text: "VARCHAR",
  integer: "BIGINT",
  double: "DOUBLE",
  boolean: "BOOLEAN",
  date: "DATE",
  timestamp: "TIMESTAMP",
};

// No leading zero, no plus, no minus zero: `0010` and `-0` would not come back as written.
const integer = "-?[1-9][0-9]*|0";
const decimal = `(${integer})(\\.[0-9]+)?|-0\\.[0-9]*[1-9][0-9]*`;
const date = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
const timestamp = `${date}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?`;
const decimalDigitsMax = 38;

export interface InferOptions {
  readonly file: string;
  /** Table of VARCHAR columns. */
  readonly table: string;
  readonly columns: readonly string[];
  /** By column: a type of the catalogue. */
  readonly described: ReadonlyMap<string, string>;
}

/** @returns the engine's type by column. @throws DynamosError DATA_UNREADABLE for a value that its described type can't hold */
export async function inferTypes(connection: DuckDBConnection, options: InferOptions): Promise<Map<string, string>> {
  const types = new Map<string, string>();
  for (const column of options.columns) {
    const described = options.described.get(column);
    const known =
      described === undefined || described === "" || described === "decimal" ? undefined : describedTypes[described];
    const type = known ?? (await inferred(connection, options.table, column));
    if (described !== undefined && described !== "") await checkHolds(connection, options, column, described, type);
    types.set(column, type);
  }
  return types;
}

async function inferred(connection: DuckDBConnection, table: string, column: string): Promise<string> {
  const value = quoted(column);
  const fits = (pattern: string, type: string) =>
    `bool_and(${value} IS NULL OR (regexp_full_match(${value}, ${literal(pattern)}) AND TRY_CAST(${value} AS ${type}) IS NOT NULL))`;
  const [row] = await rowsOf(
    connection,
    `SELECT count(${value}), ${fits(integer, "BIGINT")},
       bool_and(regexp_full_match(${value}, ${literal(decimal)})),
       max(length(regexp_extract(${value}, '^-?([0-9]+)', 1))),
       max(length(regexp_extract(${value}, '\\.([0-9]+)$', 1))),
       ${fits(date, "DATE")}, ${fits(timestamp, "TIMESTAMP")},
       bool_and(${value} IN ('true', 'false'))
     FROM ${quoted(table)}`,
  );
  const [filled, isInteger, isDecimal, digits, decimals, isDate, isTimestamp, isBoolean] = row ?? [];
  if (filled === 0n) return "VARCHAR";
  if (isInteger === true) return "BIGINT";
  const scale = Number(decimals ?? 0);
  const precision = Number(digits ?? 0) + scale;
  if (isDecimal === true && precision <= decimalDigitsMax) return `DECIMAL(${precision},${scale})`;
  if (isDate === true) return "DATE";
  if (isTimestamp === true) return "TIMESTAMP";
  return isBoolean === true ? "BOOLEAN" : "VARCHAR";
}

async function checkHolds(
  connection: DuckDBConnection,
  { file, table, columns }: InferOptions,
  column: string,
  described: string,
  type: string,
): Promise<void> {
  const holds = described === "decimal" ? type.startsWith("DECIMAL") || type === "BIGINT" : true;
  const value = quoted(column);
  const [bad] = await rowsOf(
    connection,
    `SELECT row FROM (SELECT row_number() OVER () + 1 AS row, ${value} AS value FROM ${quoted(table)})
     WHERE value IS NOT NULL AND ${holds ? `TRY_CAST(value AS ${type}) IS NULL` : "TRY_CAST(value AS DECIMAL(38,10)) IS NULL"} LIMIT 1`,
  );
  if (bad !== undefined) {
    const place = `${file}, row ${bad[0]}, column ${columns.indexOf(column) + 1} (${column})`;
    throw new DynamosError(ErrorCode.DATA_UNREADABLE, `${place}: not a value of the type ${described}`);
  }
}
