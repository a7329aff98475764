/** The files of a function's bundle: what runs, and what each of them starts from. */
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { HttpFunction } from "#runtime/define-http-function";
import type { Step } from "#runtime/define-step";

/** What a handler's file holds: one of this project's own definitions, or anybody's `(event, context) => …`. */
export type Definition = Step | HttpFunction | PlainHandler;

export interface PlainHandler {
  readonly name: string;
  readonly plain: true;
}

/** By path: a handler's own package.json knows nothing of this project's import names. */
const runtime = (file: string) =>
  JSON.stringify(fileURLToPath(new URL(`../../shared/runtime/${file}.ts`, import.meta.url)));

/** @param handlerFile absolute */
export function entriesOf(definition: Definition, handlerFile: string): Record<string, string> {
  const handler = JSON.stringify(`./${basename(handlerFile)}`);
  if ("plain" in definition) return plainEntries(definition.name, handler);
  if ("start" in definition) {
    return {
      "index.js": `import { serveHttpFunction } from ${runtime("serve-http-function")};
import definition from ${handler};
serveHttpFunction(definition, process.env);`,
    };
  }
  return stepEntries(definition, handler);
}

function stepEntries({ name, accepts, isolation, workers }: Step, handler: string): Record<string, string> {
  const jsonCodec = { "json-codec.js": `export * from ${runtime("json-codec")};` };
  const loadJson = `() => import("#runtime/json-codec")`;
  if (isolation === "shared") {
    return {
      ...jsonCodec,
      "index.js": `import { serveShared } from ${runtime("serve-shared")};
import step from ${handler};
serveShared({ step, loadJson: ${loadJson}, environment: process.env });`,
    };
  }
  return {
    ...jsonCodec,
    "index.js": `import { join } from "node:path";
import { serveSingleUse } from ${runtime("serve-single-use")};
serveSingleUse({ step: ${JSON.stringify({ name, accepts, workers })}, workerFile: join(__dirname, "worker.js"), loadJson: ${loadJson}, environment: process.env });`,
    "worker.js": `import { runWorker } from ${runtime("worker")};
import step from ${handler};
void runWorker(step);`,
  };
}

function plainEntries(name: string, handler: string): Record<string, string> {
  return {
    "index.js": `import { join } from "node:path";
import { servePlain } from ${runtime(join("plain", "serve-plain"))};
servePlain({ name: ${JSON.stringify(name)}, workerFile: join(__dirname, "worker.js"), environment: process.env });`,
    "worker.js": `import { runPlainWorker } from ${runtime(join("plain", "plain-worker"))};
import * as exported from ${handler};
void runPlainWorker(exported);`,
  };
}
