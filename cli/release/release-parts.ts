/** What a release is made of: the bundle of each function, and the file system of the image. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { version } from "#domain/version";
import { bundleFunction } from "../build/bundle-function.ts";
import { functionNames } from "../build/functions.ts";
import { type Bundle, type DescribedBundle, describeBundle, writeDescription } from "../inside/describe-bundle.ts";

export interface ReleasePart extends DescribedBundle {
  /** Of the function, or `dynamos`: the image of sidecar and command. */
  readonly name: string;
}

/**
 * Bundles functions, each into a folder of its name, with its SBOM and its licences beside it.
 * @param names absent: every one
 * @returns in order of name
 */
export async function bundleFunctions(home: string, target: string, names?: readonly string[]): Promise<ReleasePart[]> {
  const parts: ReleasePart[] = [];
  const licence = await readFile(join(home, "LICENSE"), "utf8");
  for (const name of names ?? (await functionNames(home))) {
    const folder = join(target, name);
    const files = await bundleFunction(join(home, "functions", name, "handler.ts"), folder);
    const part = await describePart(name, { home, folder, files });
    await writeDescription(part, folder, licence, refuseGap);
    parts.push(part);
  }
  return parts;
}

export async function describePart(name: string, bundle: Bundle): Promise<ReleasePart> {
  const subject = { name, group: "dynamos-faas", version, licence: "MIT" };
  return { name, ...(await describeBundle(subject, bundle, refuseGap)) };
}

/** What is released is known in full. @throws Error with what is missing */
export function refuseGap(sentence: string): never {
  throw new Error(sentence);
}
