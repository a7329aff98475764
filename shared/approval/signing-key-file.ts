/** The key that signs approvals, from its file: read again when the file changes, so that a changed key counts at once. */
import { stat } from "node:fs/promises";
import { limits } from "#domain/limits";
import { readSigningKey, type SigningKey } from "./approval-keys.ts";

/** @throws Error with a sentence for whoever deploys */
export type SigningKeyFile = (path: string) => Promise<SigningKey>;

interface Read {
  readonly path: string;
  readonly version: string;
  readonly key: SigningKey;
}

/** @param now milliseconds since the epoch, by the clock of the file system */
export function createSigningKeyFile(now: () => number = Date.now): SigningKeyFile {
  let read: Read | undefined;
  return async (path) => {
    const before = await versionOf(path);
    if (read?.path === path && read.version === before?.text) return read.key;
    const key = await readSigningKey(path);
    // A file that has just changed may change again within one tick of its times: it is not remembered yet.
    const isSettled = before !== undefined && now() - before.changedAtMs > limits.fileTimesMsMax;
    read = isSettled ? { path, version: before.text, key } : undefined;
    return key;
  };
}

/** A mounted secret changes by another file in its place, an editor writes into the same one. */
async function versionOf(path: string): Promise<{ text: string; changedAtMs: number } | undefined> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = await stat(path, { bigint: true });
    return { text: `${dev}/${ino}/${size}/${mtimeNs}/${ctimeNs}`, changedAtMs: Number(ctimeMs) };
  } catch {
    // Reading it says why.
    return undefined;
  }
}
