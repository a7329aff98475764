/** The parties' passwords: a JSON object, user to password, that nobody else may read. */
import { chmod, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { newPassword } from "./password-hash.ts";

/** Read and write of its owner. */
const mode = 0o600;

export interface Passwords {
  readonly byUser: ReadonlyMap<string, string>;
  /** Users whose passwords were made now. */
  readonly made: readonly string[];
}

/**
 * Takes the passwords that the file has and makes those that are missing. The file keeps what it
 * has of other users.
 * @throws Error that names the file: others can read it, or it is not such an object
 */
export async function fillPasswordFile(path: string, users: readonly string[]): Promise<Passwords> {
  const held = await readPasswords(path);
  const made = users.filter((user) => !held.has(user));
  for (const user of made) held.set(user, newPassword());
  if (made.length > 0) await writePrivately(path, `${JSON.stringify(Object.fromEntries(held), undefined, 2)}\n`);
  return { byUser: held, made };
}

async function readPasswords(path: string): Promise<Map<string, string>> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return new Map();
  if ((found.mode & 0o077) !== 0) {
    throw new Error(`${path} holds passwords and others than its owner may read it: chmod 600 ${path}`);
  }
  const entries = Object.entries(parsed(await readFile(path, "utf8"), path));
  for (const [user, password] of entries) {
    if (typeof password !== "string" || password === "") {
      throw new Error(`${path}: the password of ${user} must be a text that is not empty`);
    }
  }
  return new Map(entries as [string, string][]);
}

function parsed(text: string, path: string): object {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // Without the cause: a parser's message shows a piece of the text.
    throw new Error(`${path} is not JSON`);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new Error(`${path} must be a JSON object, user to password`);
  }
  return json;
}

/** Whole or not at all, and never readable in between. */
async function writePrivately(path: string, text: string): Promise<void> {
  const next = `${path}.new`;
  await rm(next, { force: true });
  await writeFile(next, text, { mode, flag: "wx" });
  // The process's umask may have taken more.
  await chmod(next, mode);
  await rename(next, path);
}
