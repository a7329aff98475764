/**
 * A column as a session holds it whose rows will be anonymised: no finer than its rule allows,
 * so that no alias, expression, join or sub-query can tell more. Dates keep their form, as the
 * first day of their year, so that comparisons still mean what they say.
 */
import { literal, quoted } from "./duckdb.ts";

/**
 * @param type the engine's, e.g. `DATE`
 * @param rule of the catalogue: `year`, `mask`, `drop`; one that nobody knows is taken for `drop`
 * @returns an SQL expression with the column's name
 */
export function protectedColumn(name: string, type: string, rule: string): string {
  return `${expression(quoted(name), type, rule)} AS ${quoted(name)}`;
}

/** Whether nothing of such a column is left. */
export function isDropped(rule: string): boolean {
  return rule !== "" && rule !== "year" && rule !== "mask";
}

function expression(value: string, type: string, rule: string): string {
  switch (rule) {
    case "":
      return value;
    case "year":
      return yearStart(value, type);
    case "mask":
      return `CASE WHEN ${value} IS NOT NULL THEN '***' END`;
    default:
      return `CAST(NULL AS ${type})`;
  }
}

/** What is not a date becomes null. */
function yearStart(value: string, type: string): string {
  switch (type) {
    case "DATE":
    case "TIMESTAMP":
      return `CAST(date_trunc('year', ${value}) AS ${type})`;
    case "TINYINT":
    case "SMALLINT":
    case "INTEGER":
    case "BIGINT":
      return `CASE WHEN ${value} BETWEEN 1000 AND 9999 THEN ${value}
        WHEN ${value} BETWEEN 10000101 AND 99991231 THEN ${value} // 10000 * 10000 + 101 END`;
    case "VARCHAR": {
      const fits = (pattern: string) => `regexp_full_match(${value}, ${literal(pattern)})`;
      return `CASE WHEN ${fits("[0-9]{4}")} THEN ${value}
        WHEN ${fits("[0-9]{8}")} THEN left(${value}, 4) || '0101'
        WHEN ${fits("[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?")} THEN left(${value}, 4) || '-01-01' END`;
    }
    default:
      return `CAST(NULL AS ${type})`;
  }
}
