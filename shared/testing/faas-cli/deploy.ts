/** `faas-cli deploy`: PUT each function, and POST it where there is none yet. */
import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { CliError, type CommandLine } from "./command-line.ts";
import { askGateway, unauthorized, warnWithoutTls } from "./gateway-client.ts";
import { textOf } from "./go-http.ts";
import { GoStruct, goJson } from "./go-json.ts";
import { sendDelete } from "./remove.ts";
import { say } from "./say.ts";
import { type FunctionEntry, gatewayOf, readStackFile } from "./stack-file.ts";

export const namespaceDefault = "openfaas-fn";

export async function deploy(line: CommandLine): Promise<void> {
  if (line.isOn("update") && line.isOn("replace")) {
    throw new CliError("cannot specify --update and --replace at the same time");
  }
  const file = readStackFile(line);
  const gateway = gatewayOf(line, file);
  const failed: string[] = [];
  const each = async (name: string, entry: FunctionEntry) => {
    warnWithoutTls(gateway, line);
    const status = await deployOne(gateway, line, name, entry);
    if (status !== 200 && status !== 202) {
      failed.push(`function '${name}' failed to deploy with status code: ${status}`);
    }
  };
  if (file !== undefined && file.functions.size > 0) {
    for (const [name, entry] of file.functions) {
      say(`Deploying: ${name}.`);
      await each(name, fromFile(entry, line));
    }
  } else {
    const [name, image] = [line.text("name"), line.text("image")];
    if (name === "" || image === "") {
      throw new CliError("to deploy a function give --yaml/-f or a --image and --name flag");
    }
    await each(name, {
      image,
      fprocess: line.text("fprocess"),
      environment: pairsIn(line, "env"),
      labels: pairsIn(line, "label"),
      annotations: pairsIn(line, "annotation"),
      secrets: line.texts("secret"),
      constraints: line.texts("constraint"),
      namespace: line.text("namespace"),
    });
  }
  if (failed.length > 0) throw new CliError(failed.join("\n"));
}

function fromFile(entry: FunctionEntry, line: CommandLine): FunctionEntry {
  const files = (entry.environment_file ?? []).map((file) => parse(readFileSync(file, "utf8"), { schema: "failsafe" }));
  return {
    ...entry,
    image: withTag(entry.image ?? ""),
    fprocess: line.isOn("read-template") ? fprocessOf(entry) : (entry.fprocess ?? ""),
    namespace: line.text("namespace") || entry.namespace || namespaceDefault,
    environment: Object.assign(
      {},
      entry.environment,
      ...files.map(({ environment }) => environment),
      pairsIn(line, "env"),
    ),
    labels: { ...entry.labels, ...pairsIn(line, "label") },
    annotations: { ...entry.annotations, ...pairsIn(line, "annotation") },
    secrets: [...new Set([...line.texts("secret"), ...(entry.secrets ?? [])])],
    constraints: entry.constraints ?? line.texts("constraint"),
    readonly_root_filesystem: String(entry.readonly_root_filesystem === "true" || line.isOn("readonly")),
  };
}

function withTag(image: string): string {
  return image.split("/").at(-1)?.includes(":") ? image : `${image}:latest`;
}

function fprocessOf({ fprocess = "", lang = "" }: FunctionEntry): string {
  if (lang === "" || lang.toLowerCase() === "dockerfile" || fprocess !== "") return fprocess;
  const path = `./template/${lang}/template.yml`;
  if (existsSync(path)) return parse(readFileSync(path, "utf8"))?.fprocess ?? "";
  throw new CliError(
    `template directory may be missing or invalid, please run "faas-cli template pull"\nError: stat ${path}: no such file or directory`,
  );
}

async function deployOne(gateway: string, line: CommandLine, name: string, entry: FunctionEntry): Promise<number> {
  const put = async (method: "PUT" | "POST") => {
    if (line.isOn("replace")) await sendDelete(gateway, line, name, entry.namespace ?? "");
    const body = bodyOf(name, entry);
    const answer = await askGateway(gateway, line, { method, path: "/system/functions", body });
    const full = entry.namespace ? `${name}.${entry.namespace}` : name;
    if ([200, 201, 202].includes(answer.status)) {
      await textOf(answer);
      const said = `Deployed. ${answer.statusText}.\nURL: ${gateway}/function/${full}\n`;
      return { status: answer.status, said };
    }
    if (answer.status === 401) return { status: 401, said: `${unauthorized}\n` };
    return {
      status: answer.status,
      said: `Unexpected status: ${answer.status}, message: ${await textOf(answer)}\n`,
    };
  };
  let done = await put(line.isOn("update") ? "PUT" : "POST");
  if (line.isOn("update") && done.status === 404) done = await put("POST");
  else if (done.status === 200) say(`Function ${name} already exists, attempting rolling-update.`);
  say(`\n${done.said}`);
  return done.status;
}

function bodyOf(name: string, entry: FunctionEntry): string {
  return goJson([
    ["service", name, "always"],
    ["image", entry.image, "always"],
    ["namespace", entry.namespace],
    ["envProcess", entry.fprocess],
    ["envVars", entry.environment],
    ["constraints", entry.constraints],
    ["secrets", entry.secrets],
    ["labels", entry.labels ?? {}, "always"],
    ["annotations", entry.annotations ?? {}, "always"],
    ["limits", resourcesOf(entry.limits)],
    ["requests", resourcesOf(entry.requests)],
    ["readOnlyRootFilesystem", entry.readonly_root_filesystem === "true"],
  ]);
}

function resourcesOf(given: FunctionEntry["limits"]): GoStruct | undefined {
  const { memory = "", cpu = "" } = given ?? {};
  if (memory === "" && cpu === "") return undefined;
  return new GoStruct([
    ["memory", memory],
    ["cpu", cpu],
  ]);
}

/** Of flags that are given as NAME=VALUE. */
function pairsIn(line: CommandLine, flag: "env" | "label" | "annotation"): Record<string, string> {
  return Object.fromEntries(
    line.texts(flag).map((pair) => {
      const at = pair.indexOf("=");
      if (at < 0) throw new CliError(`error parsing ${flag}s: label format is not correct, needs key=value`);
      const [name, value] = [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
      if (name === "" || value === "") throw new CliError(`error parsing ${flag}s: empty ${flag} in: [${pair}]`);
      return [name, value];
    }),
  );
}
