/** What a cluster's API server says to manifests, asked without that it keeps them. */
import { setTimeout as wait } from "node:timers/promises";
import { clusterKinds } from "./kinds.ts";
import { type Manifest, titleOf } from "./manifest.ts";
import { type Workload, workloadsOf } from "./workloads.ts";

/** A request to an API server: of shared/testing/api-server.ts. */
export type Ask = (call: { method: "GET" | "POST" | "PATCH"; path: string; body?: unknown }) => Promise<Answer>;

interface Answer {
  readonly status: number;
  readonly warning: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Verdicts {
  /** `Service dynamos/sidecar: 400 …`, in the server's words. */
  readonly refused: string[];
  /** `apiVersion kind` of each object that the server does not know. */
  readonly unknown: string[];
  /** Objects that were sent, pods among them. */
  readonly asked: number;
}

/** The server needs these to be there before it looks at what is in them. */
const keptKinds = ["Namespace", "ServiceAccount"];
const establishMsMax = 60_000;
const strict = "fieldValidation=Strict";

/** Namespaces and accounts are made, all else is sent and thrown away; then a pod of each workload. */
export async function askAbout(ask: Ask, manifests: readonly Manifest[]): Promise<Verdicts> {
  const refused: string[] = [];
  const unknown: string[] = [];
  let asked = 0;
  const send = async (manifest: Manifest, isKept = false) => {
    const path = await pathOf(ask, manifest);
    if (path === undefined) {
      unknown.push(`${manifest.apiVersion} ${manifest.kind}`);
      return;
    }
    asked += 1;
    const answer = isKept ? await keep(ask, path, manifest) : await tryOut(ask, path, manifest);
    refused.push(...faultsIn(answer).map((fault) => `${titleOf(manifest)}: ${fault}`));
  };
  const kept = keptKinds.map((kind) => manifests.filter((one) => one.kind === kind));
  for (const manifest of kept[0] ?? []) await send(manifest, true);
  await makeMissing(ask, manifests);
  for (const manifest of kept[1] ?? []) await send(manifest, true);
  for (const manifest of manifests) if (!keptKinds.includes(manifest.kind)) await send(manifest);
  for (const workload of workloadsOf(manifests)) await send(podOf(workload));
  return { refused, unknown, asked };
}

/** Definitions of kinds that are not Kubernetes' own. @throws Error when the server does not take them */
export async function define(ask: Ask, definitions: readonly Manifest[]): Promise<void> {
  for (const definition of definitions) {
    const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const faults = faultsIn(await keep(ask, path, definition)).filter((fault) => !fault.startsWith("warning"));
    if (faults.length > 0) throw new Error(`${titleOf(definition)}: ${faults.join("; ")}`);
    const { group, names, versions } = definition.spec as {
      group: string;
      names: { kind: string };
      versions: { name: string }[];
    };
    const example = { apiVersion: `${group}/${versions[0]?.name}`, kind: names.kind, metadata: { name: "" } };
    const giveUpAtMs = performance.now() + establishMsMax;
    while ((await pathOf(ask, example)) === undefined) {
      if (performance.now() > giveUpAtMs) throw new Error(`${titleOf(definition)} is not established`);
      await wait(100);
    }
  }
}

/** Namespaces that others make: OpenFaaS', the monitoring's. */
async function makeMissing(ask: Ask, manifests: readonly Manifest[]): Promise<void> {
  for (const name of new Set(manifests.flatMap(({ metadata }) => metadata.namespace ?? []))) {
    const body = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
    const { status } = await ask({ method: "POST", path: "/api/v1/namespaces", body });
    if (status !== 201 && status !== 409) throw new Error(`namespace ${name}: ${status}`);
  }
}

/** As its controller makes it. */
function podOf({ manifest, namespace, spec, claims }: Workload): Manifest {
  const { template } = manifest.spec as { template: { metadata?: object } };
  const volumes = claims.map((name) => ({ name, persistentVolumeClaim: { claimName: `${name}-0` } }));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...template.metadata, name: manifest.metadata.name, namespace },
    spec: { ...spec, volumes: [...(spec.volumes ?? []), ...volumes] },
  };
}

/** @returns undefined: the server does not know this kind */
async function pathOf(ask: Ask, { apiVersion, kind, metadata }: Manifest): Promise<string | undefined> {
  const version = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const { body } = await ask({ method: "GET", path: version });
  const resources = (body.resources ?? []) as { name: string; kind: string; namespaced: boolean }[];
  const found = resources.find((one) => one.kind === kind && !one.name.includes("/"));
  if (found === undefined) return undefined;
  // What is of no namespace by the server must be so by the check, and the other way round.
  if (found.namespaced === clusterKinds.includes(kind)) throw new Error(`kinds.ts: ${kind} is of the other sort`);
  return found.namespaced
    ? `${version}/namespaces/${metadata.namespace ?? ""}/${found.name}`
    : `${version}/${found.name}`;
}

/** As `kubectl apply --server-side` does. */
function keep(ask: Ask, path: string, body: Manifest): Promise<Answer> {
  const query = `fieldManager=check&force=true&${strict}`;
  return ask({ method: "PATCH", path: `${path}/${body.metadata.name}?${query}`, body });
}

/** As `kubectl apply --dry-run=server` does with what is not there yet. */
function tryOut(ask: Ask, path: string, body: Manifest): Promise<Answer> {
  return ask({ method: "POST", path: `${path}?dryRun=All&${strict}`, body });
}

function faultsIn({ status, warning, body }: Answer): string[] {
  if (status >= 300) return [`${status} ${body.message}`];
  return warning === undefined ? [] : [`warning ${warning}`];
}
