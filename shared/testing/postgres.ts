/**
 * A PostgreSQL of the test's own: private folder, free loopback port, nothing left behind.
 * The system's service and configuration are not touched.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { freePort } from "./free-port.ts";

export interface Postgres {
  readonly port: number;
  /** Of its Unix socket. */
  readonly folder: string;
  /** By its superuser; rows as arrays of text. @param database of this server, `postgres` where it is absent */
  run(sql: string, database?: string): Promise<unknown[][]>;
  /** By its superuser, to be closed by whoever asked. */
  connect(database?: string): Promise<pg.Client>;
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** PEM files: with them it offers TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

const run = promisify(execFile);
const startMsMax = 60_000;
const programs = "/usr/lib/postgresql";
/** What is done runs on a disk that forgets. */
const settings = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  shared_buffers: "32MB",
  max_connections: "30",
  autovacuum: "off",
  logging_collector: "off",
  password_encryption: "scram-sha-256",
};

/** The folder of the server's programs, where Debian's package is installed. */
function postgresPrograms(): string | undefined {
  if (!existsSync(programs)) return undefined;
  return readdirSync(programs)
    .map((version) => join(programs, version, "bin"))
    .find((folder) => existsSync(join(folder, "initdb")));
}

/** Says on standard error when it is not so: what is skipped is seen. */
export function hasPostgres(): boolean {
  const isThere = postgresPrograms() !== undefined;
  if (!isThere) process.stderr.write("SKIPPED: PostgreSQL is not installed, the suites over a real one do not run\n");
  return isThere;
}

/** @throws Error when it is not installed or not up in a minute */
export async function startPostgres({ tls }: PostgresOptions = {}): Promise<Postgres> {
  const bin = postgresPrograms();
  if (bin === undefined) throw new Error("postgresql is not installed");
  const folder = await mkdtemp(join(tmpdir(), "dynamos-postgres-"));
  const user = await owner();
  try {
    const data = join(folder, "data");
    await give(folder, user);
    await run(...as(user, join(bin, "initdb"), initdb(data)), { timeout: startMsMax, env: environment });
    const port = await freePort();
    const more = tls === undefined ? {} : await tlsSettings(data, tls, user);
    const given = Object.entries({ ...settings, ...more, port, unix_socket_directories: folder });
    const words = ["-D", data, "-h", "127.0.0.1", ...given.flatMap(([name, value]) => ["-c", `${name}=${value}`])];
    const server = spawn(...as(user, join(bin, "postgres"), words), { stdio: "ignore", env: environment });
    return await running(server, { folder, port });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

const environment = { PATH: process.env.PATH, LC_ALL: "C.UTF-8" };

function initdb(data: string): string[] {
  const access = ["--auth-local=trust", "--auth-host=scram-sha-256"];
  return ["-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions", ...access];
}

async function running(server: ChildProcess, { folder, port }: { folder: string; port: number }): Promise<Postgres> {
  // A test run that is interrupted runs no teardown.
  const abort = () => void server.kill("SIGQUIT");
  process.once("exit", abort);
  const connect = async (database = "postgres") => {
    const client = new pg.Client({ host: folder, port, user: "postgres", database, password: "" });
    client.on("error", () => {});
    await client.connect();
    return client;
  };
  const stop = async () => {
    await ended(server);
    process.off("exit", abort);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilItAnswers(server, connect);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    folder,
    connect,
    run: async (sql, database) => {
      const client = await connect(database);
      try {
        const result = await client.query({ text: sql, rowMode: "array" });
        return (Array.isArray(result) ? result.at(-1) : result).rows;
      } finally {
        await client.end();
      }
    },
    stop,
  };
}

/** The server does not run as root: then the user of Debian's package. */
async function owner(): Promise<number | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  return Number((await run("id", ["-u", "postgres"])).stdout);
}

function as(user: number | undefined, file: string, words: string[]): [string, string[]] {
  if (user === undefined) return [file, words];
  return ["setpriv", [`--reuid=${user}`, `--regid=${user}`, "--clear-groups", "--", file, ...words]];
}

async function give(path: string, user: number | undefined): Promise<void> {
  if (user !== undefined) await run("chown", [String(user), path]);
}

/** The server takes a key that is its own alone. */
async function tlsSettings(data: string, { cert, key }: { cert: string; key: string }, user: number | undefined) {
  const files = { ssl_cert_file: join(data, "server.crt"), ssl_key_file: join(data, "server.key") };
  for (const [from, to] of [
    [cert, files.ssl_cert_file],
    [key, files.ssl_key_file],
  ] as const) {
    await writeFile(to, await readFile(from));
    await chmod(to, 0o600);
    await give(to, user);
  }
  return { ssl: "on", ...files };
}

async function untilItAnswers(server: ChildProcess, connect: () => Promise<pg.Client>): Promise<void> {
  const giveUpAtMs = Date.now() + startMsMax;
  while (Date.now() < giveUpAtMs) {
    if (server.exitCode !== null) throw new Error(`postgres ended with ${server.exitCode}`);
    const client = await connect().catch(() => undefined);
    if (client !== undefined) return client.end();
    await new Promise((resume) => setTimeout(resume, 50));
  }
  throw new Error("postgres did not answer within a minute");
}

/** At once: what it holds is not wanted any more. */
function ended(server: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) {
      resolve();
      return;
    }
    const force = setTimeout(() => server.kill("SIGKILL"), 10_000);
    server.once("exit", () => {
      clearTimeout(force);
      resolve();
    });
    server.kill("SIGQUIT");
  });
}
