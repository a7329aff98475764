/** The rows of tables in PostgreSQL: of what a query needs, read when it runs, and kept nowhere. */
import { asciiFolded, permittedColumns } from "#domain/permitted-columns";
import type { RowsWanted, TableRows } from "../table-rows.ts";
import { columnTypes } from "./column-types.ts";
import { type PostgresConnection, readConnectionFile } from "./connection-file.ts";
import { loadRows } from "./load-rows.ts";
import { type OpenConnection, openConnection } from "./open-connection.ts";
import { missingGrant, type RelationColumns, relationOf } from "./relation.ts";

export interface PostgresRows {
  /** @throws DynamosError DATA_UNREADABLE, DATA_UNAVAILABLE */
  of(wanted: RowsWanted): Promise<TableRows>;
  /** At once. */
  abort(): void;
  close(): void;
}

interface Opened {
  readonly file: PostgresConnection;
  readonly connection: OpenConnection;
}

/**
 * For one query: all its tables of one connection file are read in one snapshot.
 *
 * @param folder of the party's data
 * @param leftMs from now on
 */
export function openPostgresRows(folder: string, leftMs: () => number): PostgresRows {
  const opened = new Map<string, Promise<Opened>>();
  const aborting = new AbortController();

  async function open(name: string): Promise<Opened> {
    const file = await readConnectionFile(folder, name);
    return { file, connection: await openConnection(file, { leftMs: leftMs(), signal: aborting.signal }) };
  }

  return {
    of: async (wanted) => {
      const name = wanted.table.file;
      const opening = opened.get(name) ?? open(name);
      opened.set(name, opening);
      return rowsOf(await opening, wanted);
    },
    abort: () => aborting.abort(),
    close: () => {
      for (const opening of opened.values()) {
        opening.then(
          ({ connection }) => connection.close(),
          () => {},
        );
      }
      opened.clear();
    },
  };
}

async function rowsOf({ file, connection }: Opened, { table, terms, filtered }: RowsWanted): Promise<TableRows> {
  const relation = await relationOf(connection, file, table.name);
  const permitted = await readable(connection, relation, table.name, terms);
  const wanted = new Set([...permitted, ...filtered].map(asciiFolded));
  // A filter's column without a grant is absent: the filter then can't be applied, and nothing is let through.
  const names = relation.columns.filter(({ name, isGranted }) => isGranted && wanted.has(asciiFolded(name)));
  const described = new Map(table.columns.map(({ name, type }) => [name.toLowerCase(), type]));
  const columns = await columnTypes(
    connection,
    relation.sql,
    names.map(({ name }) => name),
    described,
  );
  return {
    types: new Map(columns.map(({ name, type }) => [name, type])),
    create: (engine, selection) => loadRows(engine, { connection, from: relation.sql, columns }, selection),
  };
}

/** An agreement that names columns means these; one that names none means all that the role sees. */
async function readable(
  connection: OpenConnection,
  relation: RelationColumns,
  table: string,
  terms: RowsWanted["terms"],
): Promise<string[]> {
  const all = relation.columns.map(({ name }) => name);
  const permitted = permittedColumns(terms, table, all);
  const granted = new Set(relation.columns.filter(({ isGranted }) => isGranted).map(({ name }) => name));
  const missing = permitted.filter((name) => !granted.has(name));
  if (missing.length > 0 && terms.columns !== undefined) throw await missingGrant(connection, relation, missing);
  return permitted.filter((name) => granted.has(name));
}
