import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

export interface BundledStandIn {
  /** Program and arguments. */
  readonly command: readonly string[];
  remove(): Promise<void>;
}

/** The stand-in for of-watchdog as one file, which starts as fast as a program. */
export async function bundledStandIn(): Promise<BundledStandIn> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-stand-in-"));
  const outfile = join(folder, "stand-in.cjs");
  await build({ entryPoints: [join(import.meta.dirname, "stand-in.ts")], outfile, bundle: true, platform: "node" });
  return { command: [process.execPath, outfile], remove: () => rm(folder, { recursive: true, force: true }) };
}
