/** One connection for one query: encrypted where it must be, as a role that can only read, in one read-only snapshot. */
import type { Client, FieldDef } from "pg";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { PostgresConnection } from "./connection-file.ts";
import { postgresError } from "./postgres-error.ts";

export interface OpenConnection {
  readonly client: Client;
  /** For errors. */
  readonly what: string;
  /** Rows as arrays of text, whatever their types. @throws DynamosError */
  rows(sql: string, values?: readonly unknown[]): Promise<(string | null)[][]>;
  /** The columns that a query gives. @throws DynamosError */
  fields(sql: string): Promise<readonly FieldDef[]>;
  close(): void;
}

/** Attributes that a role has no use for that only reads; with some of them grants mean nothing. */
const attributes = {
  rolsuper: "SUPERUSER",
  rolbypassrls: "BYPASSRLS",
  rolcreaterole: "CREATEROLE",
  rolcreatedb: "CREATEDB",
  rolreplication: "REPLICATION",
} as const;

/** As it comes from the server: the engine reads the types. */
const asText = { getTypeParser: () => (value: string) => value };

export interface ConnectionLimits {
  readonly leftMs: number;
  /** Cuts the connection: the server sees it end, and ends what it did for it. */
  readonly signal: AbortSignal;
}

/** @throws DynamosError DATA_UNREADABLE, DATA_UNAVAILABLE */
export async function openConnection(
  connection: PostgresConnection,
  { leftMs, signal }: ConnectionLimits,
): Promise<OpenConnection> {
  const what = `the PostgreSQL of ${connection.file}`;
  const { default: pg } = await import("pg");
  const { host, port, database, user, password, tls } = connection;
  const client = new pg.Client({
    host,
    port,
    database,
    user,
    // A function, so that neither the environment nor a file in the home folder is asked.
    password: () => password ?? "",
    ssl: tls === undefined ? false : { rejectUnauthorized: true, ...(tls.ca === undefined ? {} : { ca: tls.ca }) },
    enableChannelBinding: tls !== undefined,
    client_encoding: "UTF8",
    application_name: "dynamos",
    connectionTimeoutMillis: Math.max(1, Math.min(leftMs, limits.postgresConnectMsMax)),
    types: asText as never,
  });
  // A connection that is lost while nobody reads from it: the next query says so.
  client.on("error", () => {});
  const open: OpenConnection = {
    client,
    what,
    rows: async (text, values = []) => {
      const query = { text, values: [...values], rowMode: "array" as const };
      return (await client.query(query).catch(failed)).rows;
    },
    fields: async (text) => (await client.query(text).catch(failed)).fields,
    close: () => {
      void client.end().catch(() => {});
      // A server that is not there any more closes nothing.
      setTimeout(cut, limits.postgresCloseMsMax).unref();
    },
  };
  function failed(error: unknown): never {
    throw postgresError(error, what);
  }
  const cut = () => void socketOf(client).destroy();
  signal.addEventListener("abort", cut, { once: true });
  try {
    signal.throwIfAborted();
    await client.connect().catch(failed);
    await client.query(transaction(leftMs)).catch(failed);
    await checkRole(open);
    return open;
  } catch (error) {
    cut();
    throw error;
  }
}

/** Unordered rows come in the same order each time, so that a hop that is tried again gives the same answer. */
function transaction(leftMs: number): string {
  const timeoutMs = Math.max(1, Math.ceil(leftMs));
  return `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL statement_timeout = ${timeoutMs};
    SET LOCAL lock_timeout = ${Math.min(timeoutMs, limits.postgresLockMsMax)};
    SET LOCAL idle_in_transaction_session_timeout = ${timeoutMs};
    SET LOCAL TimeZone = 'UTC';
    SET LOCAL DateStyle = 'ISO, YMD';
    SET LOCAL IntervalStyle = 'iso_8601';
    SET LOCAL extra_float_digits = 3;
    SET LOCAL bytea_output = 'hex';
    SET LOCAL standard_conforming_strings = on;
    SET LOCAL synchronize_seqscans = off;
    SET LOCAL max_parallel_workers_per_gather = 0;
    SELECT pg_catalog.set_config('client_connection_check_interval', '${limits.postgresCheckMs}ms', true)
      WHERE pg_catalog.current_setting('server_version_num')::int >= 140000`;
}

async function checkRole({ rows, what }: OpenConnection): Promise<void> {
  const names = Object.keys(attributes);
  const [found] = await rows(`SELECT ${names.join(", ")} FROM pg_catalog.pg_roles WHERE rolname = current_user`);
  const has = Object.values(attributes).filter((_, i) => found?.[i] !== "f");
  if (has.length > 0) {
    throw new DynamosError(
      ErrorCode.DATA_UNREADABLE,
      `${what} is read by a role that may do more than read: it is ${has.join(", ")} and must be a role of its own without`,
    );
  }
}

/** pg's types leave the connection out. */
function socketOf(client: Client): { destroy(): void } {
  return (client as unknown as { readonly connection: { readonly stream: { destroy(): void } } }).connection.stream;
}
