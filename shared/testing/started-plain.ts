/** A plain handler as its own function process, bundled as the build does it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleFunction } from "../../cli/build/bundle-function.ts";
import { type StartedBundle, startBundle } from "./started-bundle.ts";

/** @param files of the function's folder; one is `handler.js`, `handler.ts`, … */
export async function startPlain(
  files: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
): Promise<StartedBundle> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-plain-"));
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const handler = Object.keys(files).find((name) => name.startsWith("handler.")) ?? "handler.js";
    await bundleFunction(join(folder, handler), join(folder, "bundle"));
    const started = await startBundle(join(folder, "bundle"), { pool_size: "1", ...environment });
    return { ...started, stop: () => started.stop().then(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}
