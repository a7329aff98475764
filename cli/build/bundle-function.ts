/**
 * One function as files that run on their own: `index.js` is the door, `worker.js` the step of
 * a single-use function, `json-codec.js` what the door loads on the first JSON request.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Metafile, type Plugin } from "esbuild";
import type { HttpFunction } from "#runtime/define-http-function";
import type { Step } from "#runtime/define-step";

/** Native, so not bundled; its JavaScript is. */
const native = "@duckdb/node-bindings";

export interface BundledFile {
  readonly bytes: number;
  /** Paths of the sources of which something is inside. */
  readonly inputs: readonly string[];
  /** Packages that must be beside the bundle when it runs. */
  readonly packages: readonly string[];
}

/**
 * @param handler path of the file whose default export is the step
 * @param target folder that the bundle goes to
 * @returns what was written, by file name
 */
export async function bundleFunction(handler: string, target: string): Promise<Record<string, BundledFile>> {
  await mkdir(target, { recursive: true });
  const definition = ((await import(pathToFileURL(handler).href)) as { default: Step | HttpFunction }).default;
  const bundled: Record<string, BundledFile> = {};
  for (const [file, contents] of Object.entries(entriesOf(definition, `./${basename(handler)}`))) {
    const sourcefile = `${definition.name}-${file}.ts`;
    bundled[file] = await bundle({ contents, resolveDir: dirname(handler), sourcefile }, join(target, file));
  }
  await writeFile(
    join(target, "package.json"),
    `${JSON.stringify({ name: definition.name, private: true, type: "commonjs" })}\n`,
  );
  return bundled;
}

interface Entry {
  readonly contents: string;
  readonly resolveDir: string;
  readonly sourcefile: string;
}

async function bundle(entry: Entry, outfile: string): Promise<BundledFile> {
  const { metafile } = await build({
    stdin: { ...entry, loader: "ts" },
    outfile,
    bundle: true,
    platform: "node",
    target: "node18",
    // Starts 3 to 4 ms sooner than an ES module.
    format: "cjs",
    external: [`${native}*`],
    plugins: [jsonCodecApart],
    // Readable stack traces, and minifying makes no start faster.
    minify: false,
    metafile: true,
    logLevel: "warning",
  });
  return bundledFile(metafile, process.cwd());
}

/** @param folder that esbuild worked in */
export function bundledFile({ outputs }: Metafile, folder: string): BundledFile {
  const [output] = Object.values(outputs);
  const inputs = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const packages = (output?.imports ?? []).filter(({ path }) => path.startsWith(native)).map(({ path }) => path);
  return {
    bytes: output?.bytes ?? 0,
    inputs: inputs.map(([path]) => resolve(folder, path)),
    packages: [...new Set(packages)],
  };
}

/** The codec is larger than the rest of a door, and the sidecar never speaks JSON. */
const jsonCodecApart: Plugin = {
  name: "json-codec-apart",
  setup({ onResolve }) {
    onResolve({ filter: /^#runtime\/json-codec$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./json-codec.js", external: true } : undefined,
    );
  },
};

function entriesOf(definition: Step | HttpFunction, handler: string): Record<string, string> {
  if ("start" in definition) {
    return {
      "index.js": `import { serveHttpFunction } from "#runtime/serve-http-function";
import definition from "${handler}";
serveHttpFunction(definition, process.env);`,
    };
  }
  const jsonCodec = { "json-codec.js": `export * from "#runtime/json-codec";` };
  const loadJson = `() => import("#runtime/json-codec")`;
  if (definition.isolation === "shared") {
    return {
      ...jsonCodec,
      "index.js": `import { serveShared } from "#runtime/serve-shared";
import step from "${handler}";
serveShared({ step, loadJson: ${loadJson}, environment: process.env });`,
    };
  }
  const { name, accepts } = definition;
  return {
    ...jsonCodec,
    "index.js": `import { join } from "node:path";
import { serveSingleUse } from "#runtime/serve-single-use";
serveSingleUse({ step: ${JSON.stringify({ name, accepts })}, workerFile: join(__dirname, "worker.js"), loadJson: ${loadJson}, environment: process.env });`,
    "worker.js": `import { runWorker } from "#runtime/worker";
import step from "${handler}";
void runWorker(step);`,
  };
}
