/** What a bundle carries with it: an SBOM, and the licences of all that is inside. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BundledFile } from "../build/bundle-function.ts";
import { licenceList } from "./licence-list.ts";
import { type InsidePackage, packagesInside } from "./packages-inside.ts";
import { type SbomSubject, sbomOf } from "./sbom.ts";

export interface Bundle {
  /** Where packages are looked for that are left out of it: itself or a folder above has the node_modules. */
  readonly home: string;
  /** Where its files are. */
  readonly folder: string;
  readonly files: Readonly<Record<string, BundledFile>>;
}

/** Called with a sentence for what can't be said: a release stops there, anybody's function is built all the same. */
export type OnGap = (sentence: string) => void;

export interface DescribedBundle {
  readonly packages: readonly InsidePackage[];
  /** JSON text. */
  readonly sbom: string;
}

export type BundleSubject = Pick<SbomSubject, "name" | "group" | "version" | "licence" | "runtime">;

export async function describeBundle(subject: BundleSubject, bundle: Bundle, onGap: OnGap): Promise<DescribedBundle> {
  const { home, folder, files } = bundle;
  const packages = await packagesInside(files, home, onGap);
  const digests: Record<string, string> = {};
  for (const file of Object.keys(files)) {
    digests[file] = createHash("sha256")
      .update(await readFile(join(folder, file)))
      .digest("hex");
  }
  return { packages, sbom: sbomOf({ ...subject, files: digests, packages }) };
}

export const carriedFiles = { sbom: "sbom.cdx.json", licences: "licences.txt" } as const;

/**
 * Beside the bundle's own files.
 * @param ownLicence text of this project's licence, under which the door is
 * @throws Error when the bundle has a file of the name already
 */
export async function writeDescription(
  { packages, sbom }: DescribedBundle,
  folder: string,
  ownLicence: string,
  onGap: OnGap,
): Promise<void> {
  for (const name of Object.values(carriedFiles)) {
    if (existsSync(join(folder, name)))
      throw new Error(`the function brings a file ${name}: that is what is inside it`);
  }
  await writeFile(join(folder, carriedFiles.sbom), sbom);
  const others = await licenceList(packages, onGap);
  await writeFile(join(folder, carriedFiles.licences), `dynamos-faas\n\n${ownLicence.trimEnd()}\n\n${others}`);
}
