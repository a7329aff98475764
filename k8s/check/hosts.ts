/** Addresses that manifests name: each leads to a service of the set, to one that is known elsewhere, or out of the cluster. */
import { servicesElsewhere } from "./elsewhere.ts";
import { isObject, type Manifest, titleOf } from "./manifest.ts";
import { find, workloadsOf } from "./workloads.ts";

interface Address {
  readonly host: string;
  readonly port: number | undefined;
}

/** Of RFC 2606: a place that an overlay's user puts in. */
const isPlaceholder = (host: string) => host.endsWith(".example");
const isOwn = (host: string) => /^(0\.0\.0\.0|127\.\d+\.\d+\.\d+|localhost)$/.test(host);

export function hostFaults(manifests: readonly Manifest[]): string[] {
  return manifests.flatMap((manifest) =>
    [...new Set(textsOf(manifest))]
      .flatMap(addressesIn)
      .flatMap((address) => faultOf(address, manifest.metadata.namespace, manifests) ?? [])
      .map((fault) => `${titleOf(manifest)}: ${fault}`),
  );
}

/** Values of environments, arguments and ConfigMaps. */
function textsOf(manifest: Manifest): string[] {
  if (manifest.kind === "ConfigMap" && isObject(manifest.data)) return Object.values(manifest.data).map(String);
  return workloadsOf([manifest]).flatMap(({ spec }) =>
    [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ env = [], args = [], command = [] }) => {
      return [...env.flatMap(({ value }) => value ?? []), ...args, ...command];
    }),
  );
}

function addressesIn(text: string): Address[] {
  const whole = /^([a-z][-a-z0-9]*(?:\.[-a-z0-9]+)*):(\d+)$/.exec(text);
  const inside = text.matchAll(/(?:https?:\/\/|rabbit@)((?:\$\(\w+\)|[-a-z0-9.])+)(?::(\d+))?/g);
  return [...(whole === null ? [] : [whole]), ...inside].map(([, host = "", port]) => ({
    host,
    port: port === undefined ? undefined : Number(port),
  }));
}

function faultOf({ host, port }: Address, own: string | undefined, manifests: readonly Manifest[]): string | undefined {
  if (isPlaceholder(host) || isOwn(host)) return undefined;
  const names = host.replace(/\.svc(\.cluster\.local)?$/, "").split(".");
  // POD.SERVICE.NAMESPACE.svc, SERVICE.NAMESPACE, or SERVICE of the same namespace.
  const pod = names.length === 3 ? names.shift() : undefined;
  const [service = "", namespace = own] = names;
  const outside = servicesElsewhere.get(`${service}.${namespace}`);
  if (outside !== undefined) return outside.includes(port ?? 80) ? undefined : `${service} has no port ${port}`;
  const found = find(manifests, "Service", namespace, service);
  if (found === undefined || names.length > 2) return `${host} is no service`;
  const { ports = [] } = found.spec as { ports?: { port: number }[] };
  if (port !== undefined && !ports.some((one) => one.port === port)) return `${host} has no port ${port}`;
  return pod === undefined || hasPod(pod, namespace, service, manifests) ? undefined : `${host} has no pod ${pod}`;
}

/** `rabbitmq-2`: of a StatefulSet that has three. */
function hasPod(pod: string, namespace: string | undefined, service: string, manifests: readonly Manifest[]): boolean {
  if (pod.startsWith("$(")) return true;
  const [, name, ordinal] = /^(.+)-(\d+)$/.exec(pod) ?? [];
  const spec = find(manifests, "StatefulSet", namespace, name)?.spec as { serviceName?: string; replicas?: number };
  return spec?.serviceName === service && Number(ordinal) < (spec.replicas ?? 1);
}
