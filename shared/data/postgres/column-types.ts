/** PostgreSQL's types as the engine's: only such as keep every value; what has none comes as PostgreSQL writes it. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { quoted } from "../duckdb.ts";
import { describedTypes } from "../infer-types.ts";
import type { OpenConnection } from "./open-connection.ts";

export interface ReadColumn {
  readonly name: string;
  /** What is selected in PostgreSQL. */
  readonly sql: string;
  /** The engine's. */
  readonly type: string;
}

/** OIDs of pg_type.dat, which never change. A domain is told as the type that it is of. */
const oids: Readonly<Record<number, string>> = {
  16: "BOOLEAN",
  20: "BIGINT",
  21: "BIGINT",
  23: "BIGINT",
  26: "BIGINT",
  700: "FLOAT",
  701: "DOUBLE",
  1082: "DATE",
  1083: "TIME",
  1114: "TIMESTAMP",
  1184: "TIMESTAMP",
};
const [numericOid, timestamptzOid] = [1700, 1184];
/** text, varchar, bpchar, name: what a description may give another type. */
const textOids: ReadonlySet<number> = new Set([25, 1043, 1042, 19]);
const decimalDigitsMax = 38;
/** Digits that always fit a BIGINT. */
const integerDigitsMax = 18;

/**
 * @param columns by the names that they have in PostgreSQL
 * @param described types of the catalogue, by name in lower case
 * @throws DynamosError DATA_UNREADABLE naming the column
 */
export async function columnTypes(
  connection: OpenConnection,
  from: string,
  columns: readonly string[],
  described: ReadonlyMap<string, string>,
): Promise<ReadColumn[]> {
  if (columns.length === 0) return [];
  const names = columns.map(quoted).join(", ");
  const fields = await connection.fields(`SELECT ${names} FROM ${from} LIMIT 0`);
  const types: ReadColumn[] = [];
  for (const [i, name] of columns.entries()) {
    const { dataTypeID: oid = 0, dataTypeModifier: modifier = -1 } = fields[i] ?? {};
    const wanted = described.get(name.toLowerCase()) ?? "";
    types.push({
      name,
      sql: selected(name, oid, wanted),
      type: await typeOf(connection, { from, name, oid, modifier, wanted }),
    });
  }
  return types;
}

/** Text as text, without the blanks that fill up a char(n); an instant as what clocks in UTC showed. */
function selected(name: string, oid: number, wanted: string): string {
  if (oid === timestamptzOid) return `${quoted(name)} AT TIME ZONE 'UTC'`;
  return wanted !== "text" && (oid in oids || oid === numericOid) ? quoted(name) : `${quoted(name)}::text`;
}

interface Question {
  readonly from: string;
  readonly name: string;
  readonly oid: number;
  readonly modifier: number;
  /** The description's type; empty: none. */
  readonly wanted: string;
}

async function typeOf(connection: OpenConnection, question: Question): Promise<string> {
  const { oid, wanted, name } = question;
  if (wanted === "text") return "VARCHAR";
  if (textOids.has(oid)) {
    if (wanted !== "decimal") return describedTypes[wanted] ?? "VARCHAR";
    throw unreadable(connection, `the column ${name} is text and is described as decimal: make it numeric in a view`);
  }
  if (oid === numericOid && wanted === "double") return "DOUBLE";
  return oid === numericOid ? decimalOf(connection, question) : (oids[oid] ?? "VARCHAR");
}

/** Precision and scale as they are declared, else as the values need them. */
async function decimalOf(connection: OpenConnection, { from, name, modifier }: Question): Promise<string> {
  const declared = { precision: ((modifier - 4) >> 16) & 0xffff, scale: (modifier - 4) & 0x7ff };
  // A scale below 0 or above the precision, new in PostgreSQL 15, is found by the values.
  if (modifier >= 4 && declared.precision <= decimalDigitsMax && declared.scale <= declared.precision) {
    return `DECIMAL(${declared.precision},${declared.scale})`;
  }
  const column = quoted(name);
  const [found] = await connection.rows(
    `SELECT coalesce(max(scale(${column})), 0), coalesce(max(length(trunc(abs(${column}))::text)), 1),
       coalesce(bool_or(${column} IN ('NaN', 'Infinity', '-Infinity')), false) FROM ${from}`,
  );
  const [scale, digits, isOdd] = [Number(found?.[0]), Number(found?.[1]), found?.[2] === "t"];
  if (isOdd) {
    const way = "describe it as double or text in the data set";
    throw unreadable(connection, `the column ${name} has NaN or an infinity, which decimals don't have: ${way}`);
  }
  if (scale === 0 && digits <= integerDigitsMax) return "BIGINT";
  if (digits + scale <= decimalDigitsMax) return `DECIMAL(${digits + scale},${scale})`;
  throw unreadable(
    connection,
    `the column ${name} has numbers of more than ${decimalDigitsMax} digits: describe it as double or text in the data set`,
  );
}

function unreadable({ what }: OpenConnection, problem: string): DynamosError {
  return new DynamosError(ErrorCode.DATA_UNREADABLE, `${what}: ${problem}`);
}
