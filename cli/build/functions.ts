/** Bundles every function into build/functions, when something has changed since the last time. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
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
  const names = await functionNames(home);
  await mkdir(dirname(target), { recursive: true });
  // Beside it, then in its place: functions that run start their workers from there meanwhile.
  const fresh = await mkdtemp(`${target}-`);
  try {
    await Promise.all(
      names.map((name) => bundleFunction(join(home, "functions", name, "handler.ts"), join(fresh, name))),
    );
    await writeFile(join(fresh, ".stamp"), sources);
    await rm(target, { recursive: true, force: true });
    await rename(fresh, target);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
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
