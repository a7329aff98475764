/** ConfigMaps that kustomize makes of files and literals, under a name that changes with what is in them. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Generator } from "./kustomization.ts";

export async function dataOf(
  folder: string,
  { literals = [], files = [] }: Generator,
): Promise<Record<string, string>> {
  const data: Record<string, string> = {};
  for (const file of files) data[file] = await readFile(join(folder, file), "utf8");
  for (const literal of literals) {
    const equals = literal.indexOf("=");
    data[literal.slice(0, equals)] = literal.slice(equals + 1);
  }
  return data;
}

/** As kustomize's api/hasher makes it: SHA-256 over canonical JSON, ten letters that spell nothing. The name in it is empty, as in 5.5. */
export function suffixOf(data: Readonly<Record<string, string>>): string {
  const sorted = Object.fromEntries(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)));
  const json = JSON.stringify({ data: sorted, kind: "ConfigMap", name: "" }).replace(
    /[<>&\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  const letters: Readonly<Record<string, string>> = { "0": "g", "1": "h", "3": "k", a: "m", e: "t" };
  return createHash("sha256")
    .update(json)
    .digest("hex")
    .slice(0, 10)
    .replace(/[013ae]/g, (digit) => letters[digit] as string);
}
