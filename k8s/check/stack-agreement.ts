/** stack.yml and the functions without OpenFaaS say the same: which there are, their images, variables, secrets and limits. */
import type { V1Container } from "@kubernetes/client-node";
import { listedFunctions } from "#adapters/openfaas/listed-functions";
import { exchangeParty, partyOf } from "../../cli/stack/parties.ts";
import type { Stack, StackFunction } from "../../cli/stack/read-stack.ts";
import { isObject, type Manifest } from "./manifest.ts";
import { bare } from "./programs.ts";
import { find, type Workload, workloadsOf } from "./workloads.ts";

const componentLabel = "app.kubernetes.io/component";

/** @param manifests of everything in one cluster without OpenFaaS. @param stack read without variables of the environment */
export function stackFaults(manifests: readonly Manifest[], stack: Stack): string[] {
  const deployed = workloadsOf(manifests).filter(({ labels }) => /^(function|api)$/.test(labels[componentLabel] ?? ""));
  const expected = stack.functions.map((fn) => ({ fn, at: placeOf(fn) }));
  const placed = deployed.map((workload) => ({
    workload,
    at: `${workload.namespace}/${workload.manifest.metadata.name}`,
  }));
  return [
    ...expected
      .filter(({ at }) => !placed.some((one) => one.at === at))
      .map(({ fn, at }) => `there is no ${at} for ${fn.name}`),
    ...placed
      .filter(({ at }) => !expected.some((one) => one.at === at))
      .map(({ at }) => `stack.yml has no function for ${at}`),
    ...expected.flatMap(({ fn, at }) => {
      const found = placed.find((one) => one.at === at)?.workload;
      return found === undefined
        ? []
        : differences(fn, found, manifests).map((what) => `${at} and ${fn.name}: ${what}`);
    }),
  ];
}

/** `uva-sql-query` of UVA: dynamos-uva/sql-query. */
function placeOf(fn: StackFunction): string {
  const party = partyOf(fn).toLowerCase();
  if (party === exchangeParty) return `dynamos/${fn.name}`;
  return `dynamos-${party}/${fn.name.replace(`${party}-`, "")}`;
}

function differences(fn: StackFunction, workload: Workload, manifests: readonly Manifest[]): string[] {
  const container = workload.spec.containers[0] as V1Container;
  const { resources = {}, env = [], image = "", securityContext } = container;
  const variables = new Map(env.map(({ name, value, valueFrom }) => [name, valueFrom === undefined ? value : ""]));
  const names = new Set([...variables.keys(), ...Object.keys(fn.environment)]);
  const listed = listedFor(fn, workload, manifests);
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ["image", bare(image), bare(fn.image)],
    ...[...names].map((name) => [`environment ${name}`, variables.get(name), fn.environment[name]] as const),
    ...(["cpu", "memory"] as const).flatMap((what) => [
      [`limits ${what}`, resources.limits?.[what], fn.limits?.[what]] as const,
      [`requests ${what}`, resources.requests?.[what], fn.requests?.[what]] as const,
    ]),
    ["secrets", secretsOf(workload, container).join(), [...fn.secrets].sort().join()],
    ["readonly root", securityContext?.readOnlyRootFilesystem, fn.readonlyRootFilesystem],
    ["concurrency", listed, Number(fn.annotations["com.dynamos.concurrency"] ?? Number.NaN)],
  ];
  return pairs
    .filter(([, ours, theirs]) => !Object.is(ours, theirs))
    .map(([what, ours, theirs]) => `${what} is ${ours}, not ${theirs}`);
}

/** Files below the folder where OpenFaaS would put secrets. */
function secretsOf({ spec }: Workload, { volumeMounts = [] }: V1Container): string[] {
  const mount = volumeMounts.find(({ mountPath }) => mountPath === "/var/openfaas/secrets");
  const volume = (spec.volumes ?? []).find(({ name }) => name === mount?.name);
  return (volume?.secret?.items ?? []).map(({ path }) => path).sort();
}

/** What functions.json of its namespace says; NaN where it is not listed, as for the orchestrator. */
function listedFor(fn: StackFunction, { namespace, manifest }: Workload, manifests: readonly Manifest[]): number {
  const map = manifests.find(({ kind, metadata, data }) => {
    return kind === "ConfigMap" && metadata.namespace === namespace && isObject(data) && "functions.json" in data;
  });
  const text = isObject(map?.data) ? String(map.data["functions.json"]) : "[]";
  const step = (fn.annotations.topic ?? "").split(".")[1];
  const entry = listedFunctions(text, "functions.json").find((one) => one.step === step);
  const service = entry?.url.hostname;
  const isItsOwn = find(manifests, "Service", namespace, service)?.metadata.name === manifest.metadata.name;
  return isItsOwn && entry !== undefined ? entry.concurrency : Number.NaN;
}
