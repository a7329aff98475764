/** What a release is made of: the bundle of each function, and the file system of the image. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { version } from "#domain/version";
import { type BundledFile, bundleFunction } from "../build/bundle-function.ts";
import { functionNames } from "../build/functions.ts";
import { type InsidePackage, packagesInside } from "../inside/packages-inside.ts";
import { sbomOf } from "../inside/sbom.ts";

export interface ReleasePart {
  /** Of the function, or `dynamos`: the image of sidecar and command. */
  readonly name: string;
  readonly packages: readonly InsidePackage[];
  readonly sbom: string;
}

/** Bundles functions, each into a folder of its name. @param names absent: every one @returns in order of name */
export async function bundleFunctions(home: string, target: string, names?: readonly string[]): Promise<ReleasePart[]> {
  const parts: ReleasePart[] = [];
  for (const name of names ?? (await functionNames(home))) {
    const folder = join(target, name);
    const files = await bundleFunction(join(home, "functions", name, "handler.ts"), folder);
    parts.push(await describePart(name, { home, folder, files }));
  }
  return parts;
}

export interface Bundle {
  readonly home: string;
  /** Where its files are. */
  readonly folder: string;
  readonly files: Readonly<Record<string, BundledFile>>;
}

export async function describePart(name: string, { home, folder, files }: Bundle): Promise<ReleasePart> {
  const packages = await packagesInside(files, home);
  const digests: Record<string, string> = {};
  for (const file of Object.keys(files)) {
    digests[file] = createHash("sha256")
      .update(await readFile(join(folder, file)))
      .digest("hex");
  }
  const sbom = sbomOf({ name, version, licence: "MIT", files: digests, packages });
  return { name, packages, sbom };
}
