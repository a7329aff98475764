/** Bundles every function into build/functions, when something has changed since the last time. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundleFunction } from "./bundle-function.ts";

export interface BuildOptions {
  /** The checkout. */
  readonly home: string;
  readonly force?: boolean;
}

/** @returns the functions built, or undefined when nothing has changed since the last build */
export async function buildFunctions({ home, force = false }: BuildOptions): Promise<string[] | undefined> {
  const target = join(home, "build/functions");
  const stamp = join(target, ".stamp");
  const sources = await hashOfSources(home);
  if (!force && existsSync(stamp) && (await readFile(stamp, "utf8")) === sources) return undefined;
  await rm(target, { recursive: true, force: true });
  const names = await functionNames(home);
  await Promise.all(
    names.map((name) => bundleFunction(join(home, "functions", name, "handler.ts"), join(target, name))),
  );
  await writeFile(stamp, sources);
  return names;
}

async function functionNames(home: string): Promise<string[]> {
  const entries = await readdir(join(home, "functions"), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && existsSync(join(home, "functions", entry.name, "handler.ts")))
    .map(({ name }) => name)
    .sort();
}

async function hashOfSources(home: string): Promise<string> {
  const hash = createHash("sha256");
  const lock = join(home, "package-lock.json");
  hash.update(await readFile(lock));
  for (const folder of ["functions", "shared", "cli/build"]) {
    const entries = await readdir(join(home, folder), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"));
    for (const path of files.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort()) {
      hash.update(path.slice(home.length)).update(await readFile(path));
    }
  }
  return hash.digest("hex");
}
