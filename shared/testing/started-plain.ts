/** A plain handler as its own function process, bundled as the build does it. */
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleFunction } from "../../cli/build/bundle-function.ts";
import { type StartedBundle, startBundle } from "./started-bundle.ts";

/**
 * @param files of the function's folder; one is `handler.js`, `handler.ts`, …
 * @returns a folder with the bundle
 */
export async function bundlePlain(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-plain-"));
  const [source, target] = [join(folder, "source"), join(folder, "bundle")];
  try {
    await mkdir(source);
    for (const [name, text] of Object.entries(files)) await writeFile(join(source, name), text);
    const handler = Object.keys(files).find((name) => name.startsWith("handler.")) ?? "handler.js";
    await bundleFunction(join(source, handler), target);
    await cp(target, folder, { recursive: true });
    return folder;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

export async function startPlain(
  files: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
): Promise<StartedBundle> {
  const folder = await bundlePlain(files);
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
  try {
    const started = await startBundle(folder, { pool_size: "1", ...environment });
    return { ...started, stop: () => started.stop().then(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}
