/** Writes the version where it stands: package.json is its home, the others must agree with it. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

interface Place {
  readonly file: string;
  /** Around the version; so many times. */
  readonly pattern: RegExp;
  readonly times: number;
}

const places: readonly Place[] = [
  { file: "package.json", pattern: /(^ {2}"version": ")[^"]+(")/gm, times: 1 },
  // Its own, and that of the project among its packages.
  { file: "package-lock.json", pattern: /("name": "dynamos-faas",\n\s+"version": ")[^"]+(")/g, times: 2 },
  { file: "templates/node18-single-use/package.json", pattern: /(^ {2}"version": ")[^"]+(")/gm, times: 1 },
  {
    file: "templates/node18-single-use/package-lock.json",
    pattern: /("name": "node18-single-use",\n\s+"version": ")[^"]+(")/g,
    times: 2,
  },
  { file: "cli/image/Dockerfile", pattern: /^(ARG VERSION=)\S+()$/gm, times: 1 },
];

export const versionedFiles: readonly string[] = places.map(({ file }) => file);

/** Major, minor, patch, and what semver 2.0.0 lets follow. */
export function isVersion(text: string): boolean {
  return /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$/.test(text);
}

/** @throws Error when a file does not have it where it was */
export async function setVersion(home: string, version: string): Promise<void> {
  const changed: [path: string, text: string][] = [];
  for (const { file, pattern, times } of places) {
    const path = join(home, file);
    const text = await readFile(path, "utf8");
    const found = text.match(pattern)?.length ?? 0;
    if (found !== times) throw new Error(`${file} has the version ${found} times where ${times} are expected`);
    changed.push([path, text.replace(pattern, `$1${version}$2`)]);
  }
  for (const [path, text] of changed) await writeFile(path, text);
}
