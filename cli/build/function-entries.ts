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

/** The worker that holds further steps beside its own. */
export const fusedWorkerFile = "fused-worker.js";

/** By path: a handler's own package.json knows nothing of this project's import names. */
const runtime = (file: string) =>
  JSON.stringify(fileURLToPath(new URL(`../../shared/runtime/${file}.ts`, import.meta.url)));

/** @param handlerFile absolute. @param fused handlers of the steps that its worker may go on with, by step; absolute */
export function entriesOf(
  definition: Definition,
  handlerFile: string,
  fused: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const handler = JSON.stringify(`./${basename(handlerFile)}`);
  if ("plain" in definition) return plainEntries(definition.name, handler);
  if ("start" in definition) {
    return {
      "index.js": `import { serveHttpFunction } from ${runtime("serve-http-function")};
import definition from ${handler};
serveHttpFunction(definition, process.env);`,
    };
  }
  return stepEntries(definition, handler, fused);
}

function stepEntries(
  { name, accepts, isolation, networkFiles }: Step,
  handler: string,
  fused: Readonly<Record<string, string>>,
): Record<string, string> {
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
serveSingleUse({ step: ${JSON.stringify({ name, accepts, networkFiles })}, workerFile: join(__dirname, "worker.js"), ${fusedSetting(fused)}loadJson: ${loadJson}, environment: process.env });`,
    "worker.js": `import { runWorker } from ${runtime("worker")};
import step from ${handler};
void runWorker(step);`,
    ...fusedEntry(handler, Object.values(fused)),
  };
}

function fusedSetting(fused: Readonly<Record<string, string>>): string {
  const steps = Object.keys(fused);
  return steps.length === 0
    ? ""
    : `fused: { workerFile: join(__dirname, "${fusedWorkerFile}"), steps: ${JSON.stringify(steps)} }, `;
}

function fusedEntry(handler: string, others: readonly string[]): Record<string, string> {
  if (others.length === 0) return {};
  const imports = others.map((file, index) => `import step${index} from ${JSON.stringify(file)};`);
  return {
    [fusedWorkerFile]: `import { runWorker } from ${runtime("worker")};
import step from ${handler};
${imports.join("\n")}
void runWorker(step, [${others.map((_, index) => `step${index}`).join(", ")}]);`,
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
