/** Packages that were left out of a bundle, with all that they need, from where npm installed them. */
import { existsSync } from "node:fs";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * @param installed a flat `node_modules`; packages nested in a package come along with it
 * @param target `node_modules` beside the bundle
 * @throws Error when one of them is not installed; an optional one may be absent, such as another platform's part
 */
export async function copyPackages(names: readonly string[], installed: string, target: string): Promise<void> {
  const seen = new Set<string>();
  const copy = async (name: string, isOptional: boolean): Promise<void> => {
    if (seen.has(name)) return;
    const manifest = await readManifest(join(installed, name));
    if (manifest === undefined && isOptional) return;
    if (manifest === undefined) throw new Error(`the package ${name} is not installed, and the function needs it`);
    seen.add(name);
    await cp(join(installed, name), join(target, name), { recursive: true, dereference: true });
    const optional = Object.keys(manifest.optionalDependencies ?? {});
    for (const each of [...optional, ...Object.keys(manifest.dependencies ?? {})]) {
      const isNested = existsSync(join(installed, name, "node_modules", each));
      if (!isNested) await copy(each, optional.includes(each));
    }
  };
  for (const name of names) await copy(name, false);
}

async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
