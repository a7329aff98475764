/** Bundles every function into build/functions, when something has changed since the last time. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { bundleFunction } from "./bundle-function.ts";
import { sourceDigest } from "./source-digest.ts";

export interface BuildOptions {
  /** The checkout. */
  readonly home: string;
  readonly force?: boolean;
}

/** @returns the functions built, or undefined when nothing has changed since the last build */
export async function buildFunctions({ home, force = false }: BuildOptions): Promise<string[] | undefined> {
  const target = join(home, "build/functions");
  const stamp = join(target, ".stamp");
  const sources = await sourceDigest(home, ["functions", "shared", "cli/build"]);
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

/** Those with a handler, in order. */
export async function functionNames(home: string): Promise<string[]> {
  const entries = await readdir(join(home, "functions"), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && existsSync(join(home, "functions", entry.name, "handler.ts")))
    .map(({ name }) => name)
    .sort();
}
