/**
 * Names the data of a party's data sets as it is now: the same name, the same data. For whoever remembers what was
 * computed of it; keyed with a secret of this party, so that nobody can find values by naming what they guess.
 */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DataSet } from "#contracts";
import { canonicalJson } from "#domain/canonical-json";
import { limits } from "#domain/limits";
import { importVersion, plainName } from "./import-cache.ts";

/**
 * Of all tables of these data sets, also of those that no SQL names, and of what the documents say of them.
 *
 * @returns empty: it can't be known (rows of a database, too many bytes, a file that is not there, nowhere to keep the secret)
 */
export async function dataRevision(
  dataSets: readonly DataSet[],
  folders: { readonly data: string; readonly cache: string },
): Promise<string> {
  if (dataSets.some(({ type }) => type === "postgres")) return "";
  try {
    const names = new Set(dataSets.flatMap(({ tables }) => tables.map(({ file }) => plainName(file))));
    const files: FileState[] = [];
    let bytes = 0;
    for (const name of [...names].sort()) {
      const file = await fileState(join(folders.data, name), name, limits.dataRevisionBytesMax - bytes);
      if (file === undefined) return "";
      bytes += file.size;
      files.push(file);
    }
    const secret = await secretOf(folders.cache);
    return createHmac("sha256", secret).update(canonicalJson({ importVersion, dataSets, files })).digest("base64url");
  } catch {
    return "";
  }
}

interface FileState {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  /** A file that was replaced and put back while it was read is another one. */
  readonly changedAtNs: bigint;
  readonly inode: bigint;
}

async function fileState(path: string, name: string, bytesMax: number): Promise<FileState | undefined> {
  const { size, ctimeNs, ino } = await stat(path, { bigint: true });
  if (size > BigInt(bytesMax)) return undefined;
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return { name, size: Number(size), sha256: hash.digest("hex"), changedAtNs: ctimeNs, inode: ino };
}

/** Kept beside the imports: who loses it remembers nothing any more. */
async function secretOf(cache: string): Promise<string> {
  await mkdir(cache, { recursive: true, mode: 0o700 });
  const path = join(cache, "data-revision.secret");
  // Two workers may be the first: one of them makes it.
  await writeFile(path, randomBytes(32).toString("hex"), { flag: "wx", mode: 0o600 }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  });
  const secret = await readFile(path, "utf8");
  // The other worker has not written it yet.
  if (!/^[0-9a-f]{64}$/.test(secret)) throw new RangeError("the secret of data revisions is not there yet");
  return secret;
}
