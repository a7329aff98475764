/** SHA-256 over the sources of a checkout: the same code has the same one, whoever runs it. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** @param folders of the checkout; tests in them do not count, the lock file always does */
export async function sourceDigest(home: string, folders: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  hash.update(await readFile(join(home, "package-lock.json")));
  for (const folder of folders) {
    const entries = await readdir(join(home, folder), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"));
    for (const path of files.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort()) {
      hash.update(path.slice(home.length)).update(await readFile(path));
    }
  }
  return hash.digest("hex");
}
