/** A role that only reads, and the connection file of a party whose data it reads, as docs/data-sets.md makes them. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Postgres } from "./postgres.ts";

export const readerName = "dynamos_reader";
/** Must not be seen anywhere. */
export const readerPassword = "p'w-CANARY-4711";

export interface ReaderFolder {
  /** The party's data folder. */
  readonly data: string;
  readonly passwordFile: string;
  /** Writes the connection file anew, with these keys instead. */
  write(change: Readonly<Record<string, unknown>>, name?: string): Promise<void>;
  remove(): Promise<void>;
}

/** For each server once. */
export async function makeReaderRole(server: Postgres): Promise<void> {
  await server.run(`CREATE ROLE ${readerName} LOGIN PASSWORD '${readerPassword.replaceAll("'", "''")}'`);
}

/** @param file of the connection, in a data folder of its own */
export async function makeReaderFolder(server: Postgres, file: string, database = "postgres"): Promise<ReaderFolder> {
  const data = await mkdtemp(join(tmpdir(), "dynamos-reader-"));
  const secrets = await mkdtemp(join(tmpdir(), "dynamos-secret-"));
  const passwordFile = join(secrets, "password");
  await writeFile(passwordFile, `${readerPassword}\n`);
  await chmod(passwordFile, 0o600);
  const connection = { host: "127.0.0.1", port: server.port, database, user: readerName, passwordFile };
  const write: ReaderFolder["write"] = (change, name = file) =>
    writeFile(join(data, name), JSON.stringify({ ...connection, ...change }));
  await write({});
  return {
    data,
    passwordFile,
    write,
    remove: async () => {
      await rm(data, { recursive: true, force: true });
      await rm(secrets, { recursive: true, force: true });
    },
  };
}
