/** Which packages are in a bundle: of those files that esbuild took, and of what lies beside it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BundledFile } from "../build/bundle-function.ts";
import {
  type InstalledPackage,
  packageFolderOf,
  packageFrom,
  readPackage,
  unlessAbsent,
  unsaid,
} from "./installed-package.ts";

export interface InsidePackage extends InstalledPackage {
  /** SHA-512 of the package's archive, in hexadecimal, as the lock file has it; undefined: that does not say. */
  readonly sha512: string | undefined;
  /** Files of the bundle that hold it or load it, in order. */
  readonly holders: readonly string[];
  /** Its sources that are inside; empty: the whole package lies beside the bundle. */
  readonly sources: readonly string[];
}

/**
 * @param files of one bundle, by name
 * @param home the checkout, or the folder of a function
 * @param onGap node_modules does not hold what its lock file says, or a package does not say its licence
 * @returns in order of name and version
 */
export async function packagesInside(
  files: Readonly<Record<string, BundledFile>>,
  home: string,
  onGap: (sentence: string) => void,
): Promise<InsidePackage[]> {
  const found = new Map<string, { holders: Set<string>; sources: Set<string> }>();
  const add = (folder: string, holder: string, source?: string) => {
    const entry = found.get(folder) ?? { holders: new Set(), sources: new Set() };
    found.set(folder, entry);
    entry.holders.add(holder);
    if (source !== undefined) entry.sources.add(source);
  };
  for (const [file, { inputs, packages }] of Object.entries(files)) {
    for (const source of await vendorSources(inputs, home)) {
      const folder = packageFolderOf(source);
      if (folder !== undefined) add(folder, file, source);
    }
    for (const name of packages) {
      for (const { folder } of await packagesBeside(name, home)) add(folder, file);
    }
  }
  const lockOf = lockFiles(home);
  const inside = [...found].map(async ([folder, { holders, sources }]) => {
    const installed = await readPackage(folder);
    const sha512 = sha512Of(installed, await lockOf(installed), onGap);
    if (installed.licence === unsaid) onGap(`${installed.name}@${installed.version} does not say its licence`);
    return { ...installed, sha512, holders: [...holders].sort(), sources: [...sources].sort() };
  });
  return (await Promise.all(inside)).sort((a, b) => order(a.name, b.name) || order(a.version, b.version));
}

/** Those of packages, as esbuild took them or as they were taken into a generated file of ours. */
async function vendorSources(inputs: readonly string[], home: string): Promise<string[]> {
  const own = inputs.filter((input) => packageFolderOf(input) === undefined);
  const taken: string[] = [];
  for (const input of own) {
    // The entry is no file.
    const text = await readFile(input, "utf8").catch(() => "");
    for (const [, name = "", path = ""] of text.matchAll(moduleMark)) {
      const installed = await packageFrom(home, name);
      if (installed === undefined) throw new Error(`${input} holds a part of ${name}, which is not installed`);
      taken.push(join(installed.folder, path));
    }
  }
  return [...inputs, ...taken];
}

/** What esbuild writes beside a module that it takes in: a comment, or the name of its wrapper. */
const moduleMark = /^(?:\/\/ |\s+")node_modules\/((?:@[^/\s]+\/)?[^/\s]+)\/(\S+?)(?:$|"\(exports)/gm;

/** A native package with all that it needs; of its parts for each platform, those that npm installed here. */
export async function packagesBeside(name: string, folder: string): Promise<InstalledPackage[]> {
  const found = new Map<string, InstalledPackage>();
  const follow = async (wanted: string, from: string, isOptional: boolean): Promise<void> => {
    const installed = await packageFrom(from, wanted);
    if (installed === undefined) {
      if (isOptional) return;
      throw new Error(`${wanted} is not installed, and the bundle needs it beside it`);
    }
    if (found.has(installed.place)) return;
    found.set(installed.place, installed);
    for (const need of installed.needs) await follow(need, installed.folder, false);
    for (const part of installed.optional) await follow(part, installed.folder, true);
  };
  await follow(name, folder, false);
  return [...found.values()];
}

type Locked = Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;

/** Beside the node_modules that holds it: a function and its template have one each. Else that of `home`. */
function lockFiles(home: string): (installed: InstalledPackage) => Promise<Locked> {
  const read = new Map<string, Promise<Locked | undefined>>();
  const lockIn = (folder: string) => {
    const known = read.get(folder) ?? readLock(folder);
    read.set(folder, known);
    return known;
  };
  return async ({ folder, place }) => (await lockIn(folder.slice(0, -place.length))) ?? (await lockIn(home)) ?? {};
}

async function readLock(folder: string): Promise<Locked | undefined> {
  const text = await readFile(join(folder, "package-lock.json"), "utf8").catch(unlessAbsent);
  return text === undefined ? undefined : JSON.parse(text).packages;
}

function sha512Of({ name, version, place }: InstalledPackage, locked: Locked, onGap: (sentence: string) => void) {
  const entry = locked[place];
  if (entry?.version !== version) {
    const wanted = entry === undefined ? "does not have it" : `has ${entry.version}`;
    onGap(`${place} is ${name}@${version}, and package-lock.json ${wanted}: npm ci puts that right`);
    return undefined;
  }
  const base64 = /^sha512-(\S+)$/.exec(entry.integrity ?? "")?.[1];
  if (base64 === undefined) onGap(`package-lock.json has no SHA-512 of ${name}@${version}`);
  return base64 === undefined ? undefined : Buffer.from(base64, "base64").toString("hex");
}

/** By code unit: the same on every machine. */
export function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
