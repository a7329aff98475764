/** `faas-cli list` and `faas-cli describe`. */
import { CliError, type CommandLine } from "./command-line.ts";
import { askGateway, unexpected } from "./gateway-client.ts";
import { type GoAnswer, textOf } from "./go-http.ts";
import { say } from "./say.ts";
import { gatewayOf, readStackFile } from "./stack-file.ts";

/** As Go reads it: what is absent is zero. */
interface FunctionStatus {
  readonly name: string;
  readonly image: string;
  readonly envProcess?: string;
  readonly envVars?: Readonly<Record<string, string>>;
  readonly constraints?: readonly string[];
  readonly secrets?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly limits?: { readonly memory?: string; readonly cpu?: string };
  readonly requests?: { readonly memory?: string; readonly cpu?: string };
  readonly invocationCount?: number;
  readonly replicas?: number;
  readonly availableReplicas?: number;
  readonly createdAt: string;
}

export async function list(line: CommandLine): Promise<void> {
  const functions = await listed(gatewayOf(line, readStackFile(line)), line);
  const order = line.text("sort");
  if (order === "name") functions.sort((a, b) => (a.name < b.name ? -1 : 1));
  if (order === "invocations") functions.sort((a, b) => (b.invocationCount ?? 0) - (a.invocationCount ?? 0));
  if (line.isOn("quiet")) {
    for (const { name } of functions) say(name);
    return;
  }
  const verbose = line.isOn("verbose");
  const imageChars = Math.max(40, ...functions.map(({ image }) => image.length));
  const row = (name: string, image: string, invocations: string | number, replicas: string | number, more: string) =>
    say(
      [
        name.padEnd(30),
        ...(verbose ? [image.padEnd(imageChars)] : []),
        String(invocations).padEnd(15),
        String(replicas).padEnd(5),
        ...(verbose ? [more] : []),
      ].join("\t"),
    );
  row("Function", "Image", "Invocations", "Replicas", "CreatedAt");
  for (const { name, image, invocationCount = 0, replicas = 0, createdAt } of functions) {
    row(name, image, Math.floor(invocationCount), replicas, `\t${createdAt}`);
  }
}

export async function describe(line: CommandLine): Promise<void> {
  const [name] = line.words;
  if (name === undefined) throw new CliError("please provide a name for the function");
  const gateway = gatewayOf(line, readStackFile(line));
  const namespace = line.text("namespace");
  const query = { usage: "1", ...(namespace === "" ? {} : { namespace }) };
  const answer = await askGateway(gateway, line, { method: "GET", path: `/system/function/${name}`, query });
  if (answer.status === 404) throw new CliError(`no such function: ${name}`);
  if (answer.status !== 200) throw await unexpected(answer);
  const status = statusIn(await jsonOf(answer, gateway));
  const invocations = (await listed(gateway, line)).find((one) => one.name === status.name)?.invocationCount ?? 0;
  const full = namespace === "" ? name : `${name}.${namespace}`;
  const heads: [string, string | number][] = [
    ["Name:", status.name],
    ["Status:", (status.availableReplicas ?? 0) > 0 ? "Ready" : "Not Ready"],
    ["Replicas:", status.replicas ?? 0],
    ["Available Replicas:", status.availableReplicas ?? 0],
    ["Invocations:", Math.floor(invocations)],
    ["Image:", status.image],
    ["Function Process:", status.envProcess || "<default>"],
    ["URL:", `${gateway}/function/${full}`],
    ["Async URL:", `${gateway}/async-function/${full}`],
  ];
  for (const [head, value] of heads) say(`${head.padEnd(20)}${value}`);
  printMap("Labels", status.labels);
  printMap("Annotations", status.annotations);
  printList("Constraints", status.constraints);
  printMap("Environment", status.envVars);
  printList("Secrets", status.secrets);
  for (const [head, value] of [
    ["Requests", status.requests],
    ["Limits", status.limits],
  ] as const) {
    if (value !== undefined) say(`${head}:\n CPU: ${value.cpu ?? ""}\n Memory: ${value.memory ?? ""}`);
  }
}

function printMap(head: string, values: Readonly<Record<string, string>> = {}): void {
  const lines = Object.entries(values).map(([key, value]) => ` ${key}: ${value}`);
  if (lines.length > 0) say([`${head}:`, ...lines].join("\n"));
}

function printList(head: string, values: readonly string[] = []): void {
  if (values.length > 0) say([`${head}:`, ...values.map((value) => ` - ${value}`)].join("\n"));
}

async function listed(gateway: string, line: CommandLine): Promise<FunctionStatus[]> {
  const namespace = line.text("namespace");
  const query: Record<string, string> = namespace === "" ? {} : { namespace };
  const answer = await askGateway(gateway, line, { method: "GET", path: "/system/functions", query });
  if (answer.status !== 200) throw await unexpected(answer);
  const json = (await jsonOf(answer, gateway)) ?? [];
  if (!Array.isArray(json)) throw new CliError(`cannot parse result from OpenFaaS on URL: ${gateway}\nno list`);
  return json.map(statusIn);
}

async function jsonOf(answer: GoAnswer, gateway: string): Promise<unknown> {
  try {
    return JSON.parse(await textOf(answer));
  } catch (error) {
    throw new CliError(`cannot parse result from OpenFaaS on URL: ${gateway}\n${(error as Error).message}`);
  }
}

/** Go's decoder refuses a field of another type, and knows no fractions in its whole numbers. */
function statusIn(json: unknown): FunctionStatus {
  const status = json as Record<string, unknown>;
  const wrong = Object.entries(types).find(([key, fits]) => {
    const value = status[key];
    return value !== undefined && value !== null && !fits(value);
  });
  if (wrong !== undefined) {
    throw new CliError(`json: cannot unmarshal into Go struct field FunctionStatus.${wrong[0]}`);
  }
  return json as FunctionStatus;
}

const isText = (value: unknown) => typeof value === "string";
const isMap = (value: unknown) =>
  typeof value === "object" && !Array.isArray(value) && Object.values(value ?? {}).every(isText);
const isList = (value: unknown) => Array.isArray(value) && value.every(isText);
const isCount = (value: unknown) => Number.isInteger(value) && Number(value) >= 0;

const types: Readonly<Record<string, (value: unknown) => boolean>> = {
  name: isText,
  image: isText,
  namespace: isText,
  envProcess: isText,
  envVars: isMap,
  constraints: isList,
  secrets: isList,
  labels: isMap,
  annotations: isMap,
  limits: isMap,
  requests: isMap,
  readOnlyRootFilesystem: (value) => typeof value === "boolean",
  invocationCount: (value) => typeof value === "number",
  replicas: isCount,
  availableReplicas: isCount,
  // time.Time: RFC 3339, and no other form of a date.
  createdAt: (value) =>
    isText(value) && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(String(value)),
};
