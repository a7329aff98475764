/** A table or view as its role sees it: which columns it has, which of them are granted, and that none can be written. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { quoted } from "../duckdb.ts";
import type { PostgresConnection, Relation } from "./connection-file.ts";
import type { OpenConnection } from "./open-connection.ts";

export interface RelationColumns {
  /** Quoted, with its schema. */
  readonly sql: string;
  /** In the table's order. */
  readonly columns: readonly { readonly name: string; readonly isGranted: boolean }[];
}

/** Kinds that have rows: tables, partitioned and foreign ones, views and materialised views. */
const withRows = "'r', 'p', 'f', 'v', 'm'";

/** @throws DynamosError DATA_UNREADABLE saying what to grant or revoke, DATA_UNAVAILABLE */
export async function relationOf(
  connection: OpenConnection,
  file: PostgresConnection,
  table: string,
): Promise<RelationColumns> {
  const relation = file.tables.get(table) ?? { schema: file.schema, name: table };
  const sql = `${quoted(relation.schema)}.${quoted(relation.name)}`;
  const wrong = (what: string) => new DynamosError(ErrorCode.DATA_UNREADABLE, `${connection.what}: ${what}`);
  await checkPrivileges(connection, relation, wrong);
  const found = await connection.rows(
    `SELECT a.attname, has_column_privilege(c.oid, a.attnum, 'SELECT')
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN (${withRows}) AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY a.attnum`,
    [relation.schema, relation.name],
  );
  const columns = found.map(([name, granted]) => ({ name: name ?? "", isGranted: granted === "t" }));
  const folded = columns.map(({ name }) => name.toLowerCase());
  const twice = columns.find((_, i) => folded.indexOf(folded[i] ?? "") !== i);
  if (twice !== undefined)
    throw wrong(`${sql} has two columns ${twice.name}, apart from the case: name one anew in a view`);
  return { sql, columns };
}

async function checkPrivileges(
  { rows }: OpenConnection,
  { schema, name }: Relation,
  wrong: (what: string) => DynamosError,
): Promise<void> {
  const sql = `${quoted(schema)}.${quoted(name)}`;
  const [found] = await rows(
    `SELECT has_schema_privilege(n.oid, 'USAGE'), current_user, pg_has_role(c.relowner, 'MEMBER'),
       has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
         OR has_any_column_privilege(c.oid, 'INSERT, UPDATE')
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN (${withRows})`,
    [schema, name],
  );
  if (found === undefined) throw wrong(`there is no table or view ${sql}`);
  const [mayUse, role, isOwner, mayWrite] = found;
  if (mayUse !== "t")
    throw wrong(`its role may not use the schema: GRANT USAGE ON SCHEMA ${quoted(schema)} TO ${quoted(role ?? "")}`);
  if (isOwner === "t")
    throw wrong(`its role owns ${sql}, or is a member of its owner, and must be a role that only reads`);
  if (mayWrite === "t") {
    throw wrong(
      `its role may write to ${sql}: REVOKE INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER ON ${sql} FROM ${quoted(role ?? "")}`,
    );
  }
}

/** @param columns by the names that they have in PostgreSQL */
export async function missingGrant(
  { rows, what }: OpenConnection,
  { sql }: RelationColumns,
  columns: readonly string[],
): Promise<DynamosError> {
  const [role] = await rows("SELECT current_user");
  const names = columns.map(quoted).join(", ");
  return new DynamosError(
    ErrorCode.DATA_UNREADABLE,
    `${what}: its role may not read the ${columns.length === 1 ? "column" : "columns"} ${columns.join(", ")}, which the agreement allows: GRANT SELECT (${names}) ON ${sql} TO ${quoted(role?.[0] ?? "")}`,
  );
}
