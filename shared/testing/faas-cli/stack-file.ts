/** A stack file as faas-cli reads it: keys that it does not know are passed over. */
import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { selectNames } from "../../../cli/stack/select-functions.ts";
import { substitute } from "../../../cli/stack/substitute.ts";
import { CliError, type CommandLine } from "./command-line.ts";

export interface FunctionEntry {
  readonly lang?: string;
  readonly image?: string;
  readonly fprocess?: string;
  readonly namespace?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly environment_file?: readonly string[];
  readonly secrets?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly constraints?: readonly string[];
  readonly limits?: Readonly<Record<string, string>>;
  readonly requests?: Readonly<Record<string, string>>;
  readonly readonly_root_filesystem?: string;
}

export interface StackFile {
  readonly gateway: string;
  readonly functions: ReadonlyMap<string, FunctionEntry>;
}

/** Of `--yaml`, else stack.yaml or stack.yml where the user stands; undefined where there is none. */
export function readStackFile(line: CommandLine): StackFile | undefined {
  const path = line.text("yaml") || ["stack.yaml", "stack.yml"].find((file) => existsSync(file));
  if (path === undefined) return undefined;
  if (!existsSync(path)) throw new CliError(`open ${path}: no such file or directory`);
  const text = readFileSync(path, "utf8");
  const document = parse(line.isOn("envsubst") ? substitute(text, process.env) : text, {
    schema: "failsafe",
    merge: true,
  });
  const provider = document?.provider?.name;
  if (provider !== "openfaas") {
    throw new CliError(
      `['openfaas'] is the only valid "provider.name" for the OpenFaaS CLI, but you gave: ${provider}`,
    );
  }
  const functions = (document.functions ?? {}) as Record<string, FunctionEntry>;
  return {
    gateway: document.provider.gateway ?? "",
    functions: new Map(chosen(Object.keys(functions), line).map((name) => [name, functions[name] ?? {}])),
  };
}

function chosen(names: readonly string[], line: CommandLine): string[] {
  const [filter, regex] = [line.text("filter"), line.text("regex")];
  if (filter !== "" && regex !== "") throw new CliError("pass in a regex or a filter, not both");
  try {
    return selectNames(names, { filter, regex });
  } catch {
    throw new CliError("no functions matching --filter/--regex were found in the YAML file");
  }
}

export const gatewayDefault = "http://127.0.0.1:8080";

/** The flag, then the file unless it says the default, then the environment; in lower case. */
export function gatewayOf(line: CommandLine, file?: StackFile): string {
  const given = line.text("gateway");
  const inFile = file?.gateway ?? "";
  const url =
    given !== "" && given !== gatewayDefault
      ? given
      : inFile !== "" && inFile !== gatewayDefault
        ? inFile
        : process.env.OPENFAAS_URL || gatewayDefault;
  const trimmed = url.replace(/\/+$/, "").toLowerCase();
  return trimmed.startsWith("http") ? trimmed : `http://${trimmed}`;
}
