/**
 * One function as files that run on their own: `index.js` is the door, `worker.js` the step of
 * a single-use function.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { HttpFunction } from "#runtime/define-http-function";
import type { Step } from "#runtime/define-step";

/** Native, so not bundled; its JavaScript is. */
const external = ["@duckdb/node-bindings*"];

/**
 * @param handler path of the file whose default export is the step
 * @param target folder that the bundle goes to
 */
export async function bundleFunction(handler: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  const definition = ((await import(pathToFileURL(handler).href)) as { default: Step | HttpFunction }).default;
  for (const [file, contents] of Object.entries(entriesOf(definition, `./${basename(handler)}`))) {
    await build({
      stdin: { contents, resolveDir: dirname(handler), loader: "ts", sourcefile: `${definition.name}-${file}.ts` },
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
  await writeFile(
    join(target, "package.json"),
    `${JSON.stringify({ name: definition.name, private: true, type: "commonjs" })}\n`,
  );
}

function entriesOf(definition: Step | HttpFunction, handler: string): Record<string, string> {
  if ("start" in definition) {
    return {
      "index.js": `import { serveHttpFunction } from "#runtime/serve-http-function";
import definition from "${handler}";
serveHttpFunction(definition, process.env);`,
    };
  }
  const loadJson = `() => import("#runtime/json-codec")`;
  if (definition.isolation === "shared") {
    return {
      "index.js": `import { serveShared } from "#runtime/serve-shared";
import step from "${handler}";
serveShared({ step, loadJson: ${loadJson}, environment: process.env });`,
    };
  }
  const { name, accepts } = definition;
  return {
    "index.js": `import { join } from "node:path";
import { serveSingleUse } from "#runtime/serve-single-use";
serveSingleUse({ step: ${JSON.stringify({ name, accepts })}, workerFile: join(__dirname, "worker.js"), loadJson: ${loadJson}, environment: process.env });`,
    "worker.js": `import { runWorker } from "#runtime/worker";
import step from "${handler}";
void runWorker(step);`,
  };
}
