/**
 * Inside the image's build stage: `function/` is the handler with the paths of
 * `configuration.copy` beside it, so a small checkout. Leaves what runs in `bundle/`.
 */
import { cp, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { bundleFunction } from "./function/cli/build/bundle-function.ts";

const installed = resolve("function/node_modules");
const target = resolve("bundle");

const files = await bundleFunction(resolve("function/handler.ts"), target);
for (const name of new Set(Object.values(files).flatMap(({ packages }) => packages))) {
  await copyPackage(name);
}

/** A native package and, of its parts for each platform, the one that npm installed. */
async function copyPackage(name: string): Promise<void> {
  await cp(join(installed, name), join(target, "node_modules", name), { recursive: true, dereference: true });
  const description = JSON.parse(await readFile(join(installed, name, "package.json"), "utf8"));
  for (const part of Object.keys(description.optionalDependencies ?? {})) {
    await cp(join(installed, part), join(target, "node_modules", part), { recursive: true, dereference: true }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      },
    );
  }
}
