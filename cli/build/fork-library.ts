/** koffi's native part, for the platform of the build alone: by it a worker's file can be a fork server. */
import { existsSync } from "node:fs";
import { cp, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** As the fork server looks for it, beside the bundle. */
const file = "koffi.node";

export interface CopiedFile {
  readonly file: string;
  readonly bytes: number;
  /** Its path in the package. */
  readonly source: string;
}

/** @returns undefined: koffi has nothing for this platform, and workers are spawned */
export async function copyForkLibrary(target: string): Promise<CopiedFile | undefined> {
  const folder = dirname(createRequire(import.meta.url).resolve("koffi"));
  const source = join(folder, "build/koffi", `${libc()}_${process.arch}`, file);
  if (!existsSync(source)) return undefined;
  await cp(source, join(target, file));
  return { file, bytes: (await stat(source)).size, source };
}

/** By C library, as koffi names its folders. */
function libc(): string {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return process.platform === "linux" && header.glibcVersionRuntime === undefined ? "musl" : process.platform;
}
