/** What a handler's file defines, found out without running what is not ours. */
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { HttpFunction } from "#runtime/define-http-function";
import type { Step } from "#runtime/define-step";
import type { Definition } from "./function-entries.ts";

/**
 * A file that reaches `defineStep` or `defineHttpFunction` is run, for its name and kind. Anybody else's is not:
 * at its top it may want secrets and connections that a build does not have.
 */
export async function readDefinition(handlerFile: string): Promise<Definition> {
  if (!(await usesRuntime(handlerFile))) return { name: await plainName(dirname(handlerFile)), plain: true };
  return ((await import(pathToFileURL(handlerFile).href)) as { default: Step | HttpFunction }).default;
}

/** Through its own files only; those of packages do not define functions. */
async function usesRuntime(handlerFile: string): Promise<boolean> {
  let found = false;
  await build({
    entryPoints: [handlerFile],
    bundle: true,
    write: false,
    platform: "node",
    logLevel: "silent",
    loader: { ".node": "empty" },
    plugins: [
      {
        name: "stay-in-own-files",
        setup({ onResolve }) {
          onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
            if (kind === "entry-point") return undefined;
            found ||= /^#runtime\/define-(step|http-function)$/.test(path);
            return { path, external: true };
          });
        },
      },
    ],
  });
  return found;
}

/** Of its package.json, else of its folder. */
async function plainName(folder: string): Promise<string> {
  const text = await readFile(join(folder, "package.json"), "utf8").catch(() => "{}");
  const { name } = JSON.parse(text) as { name?: unknown };
  return typeof name === "string" && name !== "" ? name : basename(folder);
}
