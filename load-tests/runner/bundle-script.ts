/** A k6 script, unmodified, with the k6 modules replaced by the runner's. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";

const here = import.meta.dirname;
const modules = {
  k6: "k6.ts",
  "k6/http": "http.ts",
  "k6/metrics": "metrics.ts",
  "k6/execution": "execution.ts",
  "k6/data": "data.ts",
};

export interface BundledScript {
  readonly file: string;
  remove(): Promise<void>;
}

/** @throws Error of esbuild: the script can't be read, or needs a module of k6 that the runner has not */
export async function bundleScript(script: string): Promise<BundledScript> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-load-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  const file = join(folder, "script.mjs");
  // The thread's side comes first: the metrics that a script makes as it is loaded already need it.
  const entry = [
    `import { serve } from ${JSON.stringify(join(here, "virtual-user-thread.ts"))};`,
    `import * as script from ${JSON.stringify(resolve(script))};`,
    "serve(script);",
  ].join("\n");
  try {
    const { outputFiles } = await build({
      stdin: { contents: entry, resolveDir: here, loader: "ts" },
      bundle: true,
      write: false,
      platform: "node",
      format: "esm",
      target: "node20",
      logLevel: "silent",
      alias: Object.fromEntries(Object.entries(modules).map(([name, path]) => [name, join(here, "k6", path)])),
    });
    await writeFile(file, outputFiles[0]?.contents ?? "");
    return { file, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
