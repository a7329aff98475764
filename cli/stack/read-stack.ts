/** Reads stack.yml, the file that faas-cli deploys from. */
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { parse, YAMLParseError } from "yaml";
import { faultsOf } from "./check-stack.ts";
import { type Selection, selectNames } from "./select-functions.ts";
import { substitute } from "./substitute.ts";

export interface Resources {
  /** Kubernetes quantities: `256Mi`, `100m`. */
  readonly memory?: string;
  readonly cpu?: string;
}

export interface StackFunction {
  readonly name: string;
  readonly lang: string;
  /** Folder, as written: `./functions/sql-query`. */
  readonly handler: string;
  readonly image: string;
  readonly namespace?: string;
  readonly fprocess?: string;
  /** Inline, then the files of `environment_file` in their order; the later wins. */
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly limits?: Resources;
  readonly requests?: Resources;
  readonly constraints: readonly string[];
  readonly readonlyRootFilesystem: boolean;
}

export interface Stack {
  readonly path: string;
  readonly gateway?: string;
  /** In the file's order. */
  readonly functions: readonly StackFunction[];
  /** `configuration.copy`: paths that each image gets beside its handler. */
  readonly copy: readonly string[];
}

export interface ReadStackOptions extends Selection {
  /** For `${NAME}`; absent: of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Thrown for a file that can't be used; says each fault with its path. */
export class StackError extends Error {
  override readonly name = "StackError";
}

const fileBytesMax = 1_048_576;

/** @throws StackError */
export async function readStack(
  path: string,
  { environment = process.env, ...selection }: ReadStackOptions = {},
): Promise<Stack> {
  const document = (await readYaml(path, environment)) as StackDocument;
  refuseFaults(path, faultsOf(document));
  const functions = await Promise.all(
    Object.entries(document.functions).map(([name, entry]) => toFunction(path, name, entry)),
  );
  const { gateway } = document.provider;
  const names = chosenNames(path, Object.keys(document.functions), selection);
  const chosen = functions.filter(({ name }) => names.includes(name));
  const copy = document.configuration?.copy ?? [];
  return { path: resolve(path), functions: chosen, copy, ...(gateway === undefined ? {} : { gateway }) };
}

/** The names of its top-level blocks, in the file's order. @throws StackError */
export async function topLevelBlocks(path: string): Promise<string[]> {
  return Object.keys((await readYaml(path, process.env)) as object);
}

/** As the schema has checked it. */
interface StackDocument {
  readonly provider: { readonly gateway?: string };
  readonly configuration?: { readonly copy?: readonly string[] };
  readonly functions: Readonly<Record<string, FunctionDocument>>;
}

interface FunctionDocument extends Partial<Omit<StackFunction, "name" | "readonlyRootFilesystem">> {
  readonly lang: string;
  readonly handler: string;
  readonly image: string;
  readonly environment_file?: readonly string[];
  readonly readonly_root_filesystem?: string;
}

async function toFunction(path: string, name: string, entry: FunctionDocument): Promise<StackFunction> {
  const { environment_file: files = [], readonly_root_filesystem: readonlyRoot, lang, handler, image } = entry;
  const fromFiles = await Promise.all(files.map((file) => readEnvironmentFile(join(dirname(path), file))));
  const optional = Object.entries({
    namespace: entry.namespace,
    fprocess: entry.fprocess,
    limits: entry.limits,
    requests: entry.requests,
  }).filter(([, value]) => value !== undefined);
  return {
    name,
    lang,
    handler,
    image: /[:@][^/]*$/.test(image) ? image : `${image}:latest`,
    environment: Object.assign({}, entry.environment, ...fromFiles),
    secrets: entry.secrets ?? [],
    labels: entry.labels ?? {},
    annotations: entry.annotations ?? {},
    constraints: entry.constraints ?? [],
    readonlyRootFilesystem: readonlyRoot === "true",
    ...Object.fromEntries(optional),
  };
}

async function readEnvironmentFile(path: string): Promise<Record<string, string>> {
  const document = (await readYaml(path)) as { environment?: Record<string, string> } | null;
  const environment = document?.environment;
  const texts = Object.values(environment ?? { none: undefined }).every((value) => typeof value === "string");
  if (environment === undefined || !texts || Object.keys(document ?? {}).length !== 1) {
    throw new StackError(`${path}: must hold the one key environment, a map of texts`);
  }
  return environment;
}

/** With the failsafe schema every scalar stays text as written, as Go reads it into a string: 010 is "010". */
async function readYaml(path: string, environment?: Readonly<Record<string, string | undefined>>): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new StackError(`${path}: can't be read (${cause.code ?? "unknown reason"})`, { cause });
  });
  if (text.length > fileBytesMax) {
    throw new StackError(`${path}: is over the limit of ${fileBytesMax} bytes`);
  }
  try {
    return parse(environment === undefined ? text : substitute(text, environment), {
      schema: "failsafe",
      merge: true,
      maxAliasCount: 200,
    });
  } catch (cause) {
    if (!(cause instanceof YAMLParseError || cause instanceof RangeError || cause instanceof ReferenceError))
      throw cause;
    throw new StackError(`${path}: ${cause.message.split("\n")[0]}`, { cause });
  }
}

function refuseFaults(path: string, faults: readonly string[]): void {
  if (faults.length > 0) {
    throw new StackError(faults.map((fault) => `${path}: ${fault}`).join("\n"));
  }
}

function chosenNames(path: string, names: readonly string[], selection: Selection): string[] {
  try {
    return selectNames(names, selection);
  } catch (cause) {
    throw new StackError(`${path}: ${cause instanceof Error ? cause.message : ""}`, { cause });
  }
}
