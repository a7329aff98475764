/** Which code a function runs: SHA-256 over its bundle's files, as its door and workers were started from them. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** Answer header; the sidecar records it with what the step did. */
export const buildHeader = "x-dynamos-build";

/** @returns hexadecimal; empty: one of them can't be read, so nothing is said */
export function buildDigest(files: readonly (string | undefined)[]): string {
  const hash = createHash("sha256");
  try {
    for (const file of files) hash.update(readFileSync(file ?? ""));
  } catch {
    return "";
  }
  return hash.digest("hex");
}
