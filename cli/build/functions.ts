/**
 * Bundles each function: `build/functions/<name>/index.js` is the door, `worker.js` the step of
 * a single-use function. A folder holds all that its image needs.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { HttpFunction } from "#runtime/define-http-function";
import type { Step } from "#runtime/define-step";

export interface BuildOptions {
  /** The checkout. */
  readonly home: string;
  readonly force?: boolean;
}

/** Native, so not bundled; its JavaScript is. */
const external = ["@duckdb/node-bindings*"];

/** @returns the functions built, or undefined when nothing has changed since the last build */
export async function buildFunctions({ home, force = false }: BuildOptions): Promise<string[] | undefined> {
  const target = join(home, "build/functions");
  const stamp = join(target, ".stamp");
  const sources = await hashOfSources(home);
  if (!force && existsSync(stamp) && (await readFile(stamp, "utf8")) === sources) return undefined;
  await rm(target, { recursive: true, force: true });
  const names = await functionNames(home);
  await Promise.all(names.map((name) => buildFunction(home, name)));
  await writeFile(stamp, sources);
  return names;
}

async function buildFunction(home: string, name: string): Promise<void> {
  const target = join(home, "build/functions", name);
  await mkdir(target, { recursive: true });
  const handler = join(home, "functions", name, "handler.ts");
  const definition = ((await import(pathToFileURL(handler).href)) as { default: Step | HttpFunction }).default;
  for (const [file, contents] of Object.entries(entriesOf(definition))) {
    await build({
      stdin: { contents, resolveDir: join(home, "functions", name), loader: "ts", sourcefile: `${name}-${file}.ts` },
      outfile: join(target, file),
      bundle: true,
      platform: "node",
      target: "node18",
      format: "cjs",
      external,
      // Readable stack traces, and minifying makes no start faster.
      minify: false,
      logLevel: "warning",
    });
  }
  await writeFile(join(target, "package.json"), `${JSON.stringify({ name, private: true, type: "commonjs" })}\n`);
}

function entriesOf(definition: Step | HttpFunction): Record<string, string> {
  if ("start" in definition) {
    return {
      "index.js": `import { serveHttpFunction } from "#runtime/serve-http-function";
import definition from "./handler.ts";
serveHttpFunction(definition, process.env);`,
    };
  }
  const loadJson = `() => import("#runtime/json-codec")`;
  if (definition.isolation === "shared") {
    return {
      "index.js": `import { serveShared } from "#runtime/serve-shared";
import step from "./handler.ts";
serveShared({ step, loadJson: ${loadJson}, environment: process.env });`,
    };
  }
  const { name, accepts } = definition;
  return {
    "index.js": `import { join } from "node:path";
import { serveSingleUse } from "#runtime/serve-single-use";
serveSingleUse({ step: ${JSON.stringify({ name, accepts })}, workerFile: join(__dirname, "worker.js"), loadJson: ${loadJson}, environment: process.env });`,
    "worker.js": `import { runWorker } from "#runtime/worker";
import step from "./handler.ts";
void runWorker(step);`,
  };
}

async function functionNames(home: string): Promise<string[]> {
  const entries = await readdir(join(home, "functions"), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && existsSync(join(home, "functions", entry.name, "handler.ts")))
    .map(({ name }) => name)
    .sort();
}

async function hashOfSources(home: string): Promise<string> {
  const hash = createHash("sha256");
  const lock = join(home, "package-lock.json");
  hash.update(await readFile(lock));
  for (const folder of ["functions", "shared", "cli/build"]) {
    const entries = await readdir(join(home, folder), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"));
    for (const path of files.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort()) {
      hash.update(path.slice(home.length)).update(await readFile(path));
    }
  }
  return hash.digest("hex");
}
