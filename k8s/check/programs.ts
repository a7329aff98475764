/** What manifests tell programs: images, arguments, variables, paths and times, against the programs themselves. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { V1Container } from "@kubernetes/client-node";
import { Command } from "commander";
import { addSidecarCommand } from "../../cli/commands/sidecar.ts";
import { knownEnvironment } from "../../cli/stack/known-names.ts";
import type { Stack } from "../../cli/stack/read-stack.ts";
import { isObject, type Manifest, titleOf } from "./manifest.ts";
import { containersOf, find, type Workload, workloadsOf } from "./workloads.ts";

export interface Programs {
  /** Of package.json. */
  readonly version: string;
  /** Images without registry and tag. */
  readonly functionImages: ReadonlySet<string>;
  /** Variables that the command reads. */
  readonly commandVariables: ReadonlySet<string>;
  /** `--party` and so on, of `dynamos sidecar`. */
  readonly sidecarOptions: ReadonlySet<string>;
}

/** Of others, with the variables that they read. */
const others: Readonly<Record<string, readonly string[]>> = {
  "rabbitmq:4.1": ["RABBITMQ_USE_LONGNAME", "RABBITMQ_NODENAME"],
  "quay.io/coreos/etcd:v3.5.21": [
    ...["NAME", "DATA_DIR", "INITIAL_CLUSTER", "INITIAL_CLUSTER_STATE", "INITIAL_CLUSTER_TOKEN"],
    ...["LISTEN_CLIENT_URLS", "ADVERTISE_CLIENT_URLS", "LISTEN_PEER_URLS", "INITIAL_ADVERTISE_PEER_URLS"],
    ...["LISTEN_METRICS_URLS", "CLIENT_CERT_AUTH", "TRUSTED_CA_FILE", "CERT_FILE", "KEY_FILE"],
    ...["PEER_CLIENT_CERT_AUTH", "PEER_TRUSTED_CA_FILE", "PEER_CERT_FILE", "PEER_KEY_FILE"],
    ...["AUTO_COMPACTION_MODE", "AUTO_COMPACTION_RETENTION", "QUOTA_BACKEND_BYTES", "MAX_REQUEST_BYTES"],
  ].map((name) => `ETCD_${name}`),
  "otel/opentelemetry-collector:0.128.0": [],
};

/** @param home the checkout */
export async function readPrograms(home: string, stack: Stack): Promise<Programs> {
  const { version } = JSON.parse(await readFile(join(home, "package.json"), "utf8"));
  const program = new Command();
  addSidecarCommand(program);
  const options = program.commands.find((one) => one.name() === "sidecar")?.options ?? [];
  const sources = await Promise.all(["cli", "shared"].map((folder) => variablesIn(join(home, folder))));
  return {
    version,
    functionImages: new Set(stack.functions.map(({ image }) => bare(image))),
    commandVariables: new Set(sources.flat()),
    sidecarOptions: new Set(options.map(({ long }) => long ?? "")),
  };
}

async function variablesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  const files = names.filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), "utf8")));
  return texts.flatMap((text) => text.match(/\b(DYNAMOS|OPENFAAS|OTEL)_[A-Z0-9_]+\b/g) ?? []);
}

/** `registry.example/dynamos-sql-query:0.1.0` to `dynamos-sql-query`. */
export function bare(image: string): string {
  return (image.split("/").at(-1) ?? "").replace(/:.*$/, "");
}

export function programFaults(manifests: readonly Manifest[], programs: Programs): string[] {
  return workloadsOf(manifests).flatMap((workload) =>
    containersOf(workload)
      .flatMap((container) => [
        ...imageFaults(container, programs),
        ...variableFaults(container, workload, manifests, programs),
        ...argumentFaults(container, programs),
        ...pathFaults(container, workload, manifests),
        ...probeFaults(container),
        ...graceFaults(container, workload),
      ])
      .map((fault) => `${titleOf(workload.manifest)}: ${fault}`),
  );
}

function imageFaults({ image = "" }: V1Container, { version, functionImages }: Programs): string[] {
  if (Object.hasOwn(others, image)) return [];
  const isOurs = bare(image) === "dynamos" || functionImages.has(bare(image));
  if (!isOurs) return [`image ${image} is neither of stack.yml nor known`];
  return image.endsWith(`:${version}`) ? [] : [`image ${image} must be of version ${version}`];
}

function variableFaults(
  { image = "", env = [], envFrom = [], args = [], command = [] }: V1Container,
  { namespace, spec }: Workload,
  manifests: readonly Manifest[],
  { commandVariables, functionImages }: Programs,
): string[] {
  const maps = (names: readonly (string | undefined)[]) =>
    names.flatMap((name) => find(manifests, "ConfigMap", namespace, name)?.data ?? []).filter(isObject);
  const names = [
    ...env.map(({ name }) => name),
    ...maps(envFrom.map(({ configMapRef }) => configMapRef?.name)).flatMap((data) => Object.keys(data)),
  ];
  const mounted = maps((spec.volumes ?? []).map(({ configMap }) => configMap?.name)).flatMap((data) =>
    Object.values(data),
  );
  const texts = [...args, ...command, ...env.map(({ value }) => value ?? "")];
  const read = new Set([
    ...(others[image] ?? (functionImages.has(bare(image)) ? knownEnvironment : commandVariables)),
    ...names.filter((name) => texts.some((text) => text.includes(`$(${name})`))),
    ...names.filter((name) => mounted.some((text) => String(text).includes(`\${env:${name}}`))),
  ]);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  return [
    ...names.filter((name) => !read.has(name)).map((name) => `${image} reads no variable ${name}`),
    ...twice.map((name) => `the variable ${name} is set twice`),
  ];
}

function argumentFaults({ image = "", args = [] }: V1Container, { sidecarOptions }: Programs): string[] {
  if (bare(image) !== "dynamos" || args[0] !== "sidecar") return [];
  const names = args.slice(1).map((argument) => argument.replace(/=.*$/s, ""));
  const functions = names.filter((name) => name === "--gateway" || name === "--functions");
  return [
    ...names.filter((name) => !sidecarOptions.has(name)).map((name) => `dynamos sidecar has no option ${name}`),
    ...(functions.length === 1 ? [] : ["dynamos sidecar takes one of --gateway and --functions"]),
    ...(names.includes("--party") && names.includes("--knowledge")
      ? []
      : ["dynamos sidecar needs --party, --knowledge"]),
  ];
}

/** A path that a program is told of is mounted: the file itself, or for data the folder. */
function pathFaults(
  { env = [], args = [], volumeMounts = [] }: V1Container,
  { spec, namespace }: Workload,
  manifests: readonly Manifest[],
): string[] {
  const folders: string[] = [];
  const files: string[] = [];
  const read: string[] = [];
  for (const { name, mountPath } of volumeMounts) {
    const volume = (spec.volumes ?? []).find((one) => one.name === name);
    const sources = [volume ?? {}, ...(volume?.projected?.sources ?? [])];
    const items = sources.flatMap(({ secret, configMap }) => [...(secret?.items ?? []), ...(configMap?.items ?? [])]);
    if (items.length === 0) folders.push(`${mountPath}/`);
    files.push(...items.map(({ path }) => `${mountPath}/${path}`));
    for (const { configMap } of sources) {
      const data = find(manifests, "ConfigMap", namespace, configMap?.name)?.data;
      read.push(
        ...(configMap?.items?.flatMap(({ key }) => pathsInSettings(String(isObject(data) ? data[key] : ""))) ?? []),
      );
    }
  }
  const told = [
    ...env.map(({ value = "" }) => value),
    ...args.map((argument) => argument.replace(/^[^=]*=/, "")),
    ...read,
  ];
  return told
    .filter((text) => text.startsWith("/"))
    .filter((path) => !files.includes(path) && !folders.some((folder) => `${path}/`.startsWith(folder)))
    .map((path) => `nothing is mounted at ${path}`);
}

/** Of rabbitmq.conf: `ssl_options.keyfile = /etc/rabbitmq/tls/server.key`. */
function pathsInSettings(text: string): string[] {
  return [...text.matchAll(/^[\w.]+ *= *(\/\S+)$/gm)].map(([, path]) => path as string);
}

/** By image: what answers, and how. Of a function, of-watchdog's. */
const probes: Readonly<Record<string, readonly [started: string, ready: string, alive: string]>> = {
  dynamos: ["/readyz", "/readyz", "/healthz"],
  etcd: ["/livez", "/readyz", "/livez"],
  "opentelemetry-collector": ["/", "/", "/"],
};
const functionProbes = ["/_/ready", "/_/ready", "/_/health"] as const;

function probeFaults({ image = "", startupProbe, readinessProbe, livenessProbe }: V1Container): string[] {
  const expected = probes[bare(image)] ?? functionProbes;
  return [startupProbe, readinessProbe, livenessProbe].flatMap((probe, index) => {
    const path = probe?.httpGet?.path;
    return path === undefined || path === expected[index]
      ? []
      : [`a probe asks for ${path}, not for ${expected[index]}`];
  });
}

/** Who is killed before its drain has ended loses what it has in hand. */
function graceFaults({ args = [], env = [], image = "", lifecycle }: V1Container, { spec }: Workload): string[] {
  const graceS = spec.terminationGracePeriodSeconds ?? 30;
  const sleepS = lifecycle?.preStop?.sleep?.seconds ?? 0;
  const drainMs = Number(args.find((argument) => argument.startsWith("--drain="))?.slice("--drain=".length) ?? 0);
  const writeS = Number.parseInt(env.find(({ name }) => name === "write_timeout")?.value ?? "0", 10);
  // The sidecar ends at most 5 s after its drain; of-watchdog waits its healthcheck_interval, 5 s, before its own.
  const needsS = sleepS + drainMs / 1_000 + writeS + 5;
  return graceS < needsS
    ? [`${bare(image)} needs ${needsS} s to stop, terminationGracePeriodSeconds is ${graceS}`]
    : [];
}
