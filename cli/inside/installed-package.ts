/** A package as npm installed it: what it is called, under which licence it is, and the text of that. */
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression, as the package says it; `NOASSERTION` (SPDX too) where it says nothing. */
  readonly licence: string;
  /** Where it lies. */
  readonly folder: string;
  /** Below the folder that holds node_modules, as in the lock file: `node_modules/a/node_modules/b`. */
  readonly place: string;
  /** Packages that it needs when it runs; those of `optional` may be absent. */
  readonly needs: readonly string[];
  readonly optional: readonly string[];
}

export const unsaid = "NOASSERTION";

/** @returns of the package that a file belongs to; undefined: it is the project's own */
export function packageFolderOf(file: string): string | undefined {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

/** As Node looks for it: beside the folder's own packages first, then further up. */
export async function packageFrom(folder: string, name: string): Promise<InstalledPackage | undefined> {
  for (let at = folder; at !== dirname(at); at = dirname(at)) {
    const found = await readPackage(join(at, "node_modules", name)).catch(unlessAbsent);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @throws Error when it does not say what it is */
export async function readPackage(folder: string): Promise<InstalledPackage> {
  const said = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const { name, version, dependencies = {}, optionalDependencies = {} } = said;
  if (typeof name !== "string" || typeof version !== "string") throw new Error(`${folder} has no name and version`);
  return {
    name,
    version,
    licence: licenceOf(said),
    folder,
    place: folder.slice(folder.indexOf("node_modules/")),
    needs: Object.keys(dependencies).filter((need) => !Object.hasOwn(optionalDependencies, need)),
    optional: Object.keys(optionalDependencies),
  };
}

/** Older packages have an object, or a list of them, where newer ones have an expression. */
function licenceOf({ license, licenses }: Record<string, unknown>): string {
  const said = [license ?? licenses].flat().map((one) => (typeof one === "object" ? Object(one).type : one));
  if (said.length === 0 || !said.every((one) => typeof one === "string" && one !== "")) {
    return unsaid;
  }
  return said.length === 1 ? said[0] : `(${said.join(" OR ")})`;
}

/** Its licence and notice files, in order of name; empty: it brings none. */
export async function licenceFiles({ folder }: InstalledPackage): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) =>
    /^(licen[cs]e|copying|notice|copyrightnotice)([.-]|$)/i.test(name),
  );
  const texts = await Promise.all(names.sort().map((name) => readFile(join(folder, name), "utf8")));
  return texts.map((text) => text.replaceAll("\r\n", "\n").trimEnd());
}

/** For a `catch`: undefined where there is no such file. */
export function unlessAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw error;
}
