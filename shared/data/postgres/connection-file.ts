/** Where a party's PostgreSQL is and as whom it is read: `NAME.postgres.json` in the party's data folder, known to nobody else. */
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { isAbsolute, join, resolve, sep } from "node:path";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { connectionFileEnd } from "../connection-file-end.ts";
import { plainName } from "../import-cache.ts";

export interface Relation {
  readonly schema: string;
  readonly name: string;
}

export interface PostgresConnection {
  /** The plain name of the file, for errors. */
  readonly file: string;
  /** A name, an address, or the absolute path of a Unix socket's folder. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Absent: the server asks for no password, as for a peer on a Unix socket. */
  readonly password: string | undefined;
  /** PEM. Present: encrypted, by a certificate of the host's name; absent: in clear. */
  readonly tls: { readonly ca: string | undefined } | undefined;
  /** The table or view of a data set's table; absent there: the one of that name in `schema`. */
  readonly tables: ReadonlyMap<string, Relation>;
  readonly schema: string;
}

const texts = ["host", "database", "user", "passwordFile", "tls", "caFile", "schema"];
const keys = [...texts, "port", "tables"];

/**
 * The file is JSON: `host`, `database`, `user`, and if need be `port` (5432), `passwordFile` (absolute path),
 * `tls` (`verify-full` or `off`), `caFile` (absolute path of PEM), `schema` (`public`) and `tables`
 * (`{"Personen": {"schema": "hr", "name": "persons"}}`).
 *
 * @throws DynamosError DATA_UNREADABLE naming the key, never a value
 */
export async function readConnectionFile(folder: string, file: string): Promise<PostgresConnection> {
  if (!plainName(file).endsWith(connectionFileEnd)) {
    throw new DynamosError(
      ErrorCode.DATA_UNREADABLE,
      `${file} is no connection file: its name must end with ${connectionFileEnd}`,
    );
  }
  const json = parsed(file, await content(join(folder, file), `the connection file ${file}`));
  const unknown = Object.keys(json).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw wrong(file, `there is no key ${unknown}, only ${keys.join(", ")}`);
  for (const key of texts) {
    if (json[key] !== undefined && (typeof json[key] !== "string" || json[key] === "" || /\0/.test(json[key]))) {
      throw wrong(file, `${key} must be text`);
    }
  }
  const text = (key: string) => json[key] as string | undefined;
  const host = required(file, "host", text("host"));
  const port = json.port ?? 5432;
  if (!Number.isInteger(port) || Number(port) < 1 || Number(port) > 65_535) {
    throw wrong(file, "port must be a whole number from 1 to 65535");
  }
  return {
    file,
    host,
    port: Number(port),
    database: required(file, "database", text("database")),
    user: required(file, "user", text("user")),
    password: await passwordOf(file, folder, text("passwordFile")),
    tls: await tlsOf(file, host, { tls: text("tls"), caFile: text("caFile") }),
    tables: tablesOf(file, json.tables, text("schema") ?? "public"),
    schema: text("schema") ?? "public",
  };
}

/** As it was written, without the line break that editors put behind it. */
async function passwordOf(file: string, folder: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  if (!isAbsolute(path)) throw wrong(file, "passwordFile must be an absolute path");
  // A data set could name it as one of its files.
  if (resolve(path).startsWith(`${resolve(folder)}${sep}`)) {
    throw wrong(file, "passwordFile must be outside of the data folder");
  }
  const password = (await content(path, `the passwordFile of ${file}`)).replace(/\r?\n$/, "");
  if (password === "") throw wrong(file, "passwordFile is empty");
  return password;
}

async function tlsOf(file: string, host: string, given: { tls: string | undefined; caFile: string | undefined }) {
  const { tls = isOnThisMachine(host) && given.caFile === undefined ? "off" : "verify-full", caFile } = given;
  if (tls !== "verify-full" && tls !== "off") throw wrong(file, "tls must be verify-full or off");
  if (tls === "off") {
    if (caFile !== undefined) throw wrong(file, "caFile has no meaning with tls off");
    return undefined;
  }
  if (host.startsWith("/")) throw wrong(file, "a Unix socket has no TLS: leave tls and caFile out");
  if (caFile !== undefined && !isAbsolute(caFile)) throw wrong(file, "caFile must be an absolute path");
  return { ca: caFile === undefined ? undefined : await content(caFile, `the caFile of ${file}`) };
}

/** Where nobody else can listen. */
function isOnThisMachine(host: string): boolean {
  return (
    host.startsWith("/") || host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."))
  );
}

function tablesOf(file: string, json: unknown, schema: string): Map<string, Relation> {
  const tables = new Map<string, Relation>();
  if (json === undefined) return tables;
  if (!isObject(json)) throw wrong(file, "tables must be an object");
  for (const [table, relation] of Object.entries(json)) {
    const { name, schema: own = schema, ...more } = isObject(relation) ? relation : {};
    if (typeof name !== "string" || name === "" || typeof own !== "string" || own === "" || Object.keys(more).length) {
      throw wrong(file, `tables: ${table} must be {"schema": text, "name": text}, where schema may be absent`);
    }
    tables.set(table, { schema: own, name });
  }
  return tables;
}

async function content(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown reason";
    throw new DynamosError(ErrorCode.DATA_UNREADABLE, `${what} can't be read (${code})`);
  }
}

/** The cause is not kept: what it quotes is the file. */
function parsed(file: string, text: string): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw wrong(file, "it is not JSON");
  }
  if (!isObject(json)) throw wrong(file, "it must be a JSON object");
  return json;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function required(file: string, key: string, value: string | undefined): string {
  if (value === undefined) throw wrong(file, `${key} is missing`);
  return value;
}

function wrong(file: string, what: string): DynamosError {
  return new DynamosError(ErrorCode.DATA_UNREADABLE, `the connection file ${file}: ${what}`);
}
