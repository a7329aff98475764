/** What one manifest says of another, or of itself elsewhere, is there. Only for manifests whose types are right. */
import type { V1Container, V1EnvVar, V1Volume } from "@kubernetes/client-node";
import { isObject, type Manifest, titleOf } from "./manifest.ts";
import { labelsMatch, type Selector } from "./selector.ts";
import { containersOf, find, type Workload, workloadsOf } from "./workloads.ts";

/** Keys that each Secret has, as docs/kubernetes.md says: by name. */
export type DocumentedSecrets = ReadonlyMap<string, ReadonlySet<string>>;

/** A sentence for each reference that leads nowhere. */
export function referenceFaults(manifests: readonly Manifest[], secrets: DocumentedSecrets): string[] {
  const workloads = workloadsOf(manifests);
  return [
    ...workloads.flatMap((workload) => {
      const faults = [
        ...accountFaults(workload, manifests),
        ...ownFaults(workload, manifests),
        ...(workload.spec.volumes ?? []).flatMap((volume) => volumeFaults(volume, workload, manifests, secrets)),
        ...containersOf(workload).flatMap((one) => containerFaults(one, workload, manifests, secrets)),
      ];
      return faults.map((fault) => `${titleOf(workload.manifest)}: ${fault}`);
    }),
    ...manifests.flatMap((manifest) => objectFaults(manifest, manifests, workloads, secrets)),
  ];
}

function accountFaults({ spec, namespace }: Workload, manifests: readonly Manifest[]): string[] {
  const account = find(manifests, "ServiceAccount", namespace, spec.serviceAccountName);
  return account === undefined ? [`there is no ServiceAccount ${spec.serviceAccountName}`] : [];
}

function ownFaults({ manifest, labels, namespace, spec, claims }: Workload, manifests: readonly Manifest[]): string[] {
  const { selector, serviceName } = manifest.spec as { selector?: Selector; serviceName?: string };
  const faults: string[] = [];
  if (selector !== undefined && !labelsMatch(selector, labels))
    faults.push("spec.selector does not match its own pods");
  for (const { labelSelector } of spec.topologySpreadConstraints ?? []) {
    if (!labelsMatch(labelSelector ?? {}, labels)) faults.push("topologySpreadConstraints do not match its own pods");
  }
  if (serviceName !== undefined) {
    const service = find(manifests, "Service", namespace, serviceName);
    const { clusterIP } = (service?.spec ?? {}) as { clusterIP?: string };
    if (clusterIP !== "None") faults.push(`there is no headless Service ${serviceName}`);
  }
  const names = [...(spec.volumes ?? []).map(({ name }) => name), ...claims];
  const mounted = [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ volumeMounts = [] }) => volumeMounts);
  for (const name of names)
    if (!mounted.some((one) => one.name === name)) faults.push(`nobody mounts the volume ${name}`);
  return faults;
}

type Source = Pick<V1Volume, "configMap" | "secret" | "persistentVolumeClaim"> & {
  readonly name: string;
};

function volumeFaults(
  volume: V1Volume,
  { namespace }: Workload,
  manifests: readonly Manifest[],
  secrets: DocumentedSecrets,
): string[] {
  const parts: Source[] = [
    volume,
    ...(volume.projected?.sources ?? []).map(({ configMap, secret }): Source => {
      return {
        name: volume.name,
        ...(configMap === undefined ? {} : { configMap }),
        ...(secret === undefined ? {} : { secret: { ...secret, ...(secret.name && { secretName: secret.name }) } }),
      };
    }),
  ];
  return parts.flatMap(({ configMap, secret, persistentVolumeClaim: claim }) => {
    const items = configMap?.items ?? secret?.items ?? [];
    if ((configMap ?? secret) !== undefined && items.length === 0) return [`volume ${volume.name} must name its keys`];
    const keys = items.map(({ key }) => key);
    if (claim !== undefined && find(manifests, "PersistentVolumeClaim", namespace, claim.claimName) === undefined) {
      return [`there is no PersistentVolumeClaim ${claim.claimName}`];
    }
    if (secret !== undefined) return keys.flatMap((key) => secretFaults(secret.secretName, key, secrets));
    return keys.flatMap((key) => configMapFaults(configMap?.name, key, namespace, manifests));
  });
}

function containerFaults(
  container: V1Container,
  workload: Workload,
  manifests: readonly Manifest[],
  secrets: DocumentedSecrets,
): string[] {
  const { env = [], envFrom = [], volumeMounts = [], ports = [] } = container;
  const volumes = [...(workload.spec.volumes ?? []).map(({ name }) => name), ...workload.claims];
  const probed = [container.startupProbe, container.readinessProbe, container.livenessProbe].flatMap((probe) => {
    return probe?.httpGet?.port ?? probe?.tcpSocket?.port ?? [];
  });
  const isPort = (port: unknown) => ports.some(({ name, containerPort }) => name === port || containerPort === port);
  return [
    ...volumeMounts.filter(({ name }) => !volumes.includes(name)).map(({ name }) => `there is no volume ${name}`),
    ...probed
      .filter((port) => !isPort(port))
      .map((port) => `a probe asks at ${port}, which is no port of its container`),
    ...env.flatMap((one) => variableFaults(one, workload.namespace, manifests, secrets)),
    ...envFrom.flatMap(({ configMapRef }) =>
      find(manifests, "ConfigMap", workload.namespace, configMapRef?.name) === undefined
        ? [`there is no ConfigMap ${configMapRef?.name}`]
        : [],
    ),
    ...expansionFaults(container),
  ];
}

const podFields = ["metadata.name", "metadata.namespace", "status.podIP"];

function variableFaults(
  { name, valueFrom }: V1EnvVar,
  namespace: string,
  manifests: readonly Manifest[],
  secrets: DocumentedSecrets,
): string[] {
  const { configMapKeyRef: map, secretKeyRef: secret, fieldRef } = valueFrom ?? {};
  if (fieldRef !== undefined && !podFields.includes(fieldRef.fieldPath)) {
    return [`${name}: a pod has no field ${fieldRef.fieldPath}`];
  }
  if (map !== undefined) return configMapFaults(map.name, map.key, namespace, manifests);
  return secret === undefined ? [] : secretFaults(secret.name, secret.key, secrets);
}

/** `$(NAME)` of what is not set before it stays as it is, and the program gets it so. */
function expansionFaults({ env = [], args = [], command = [] }: V1Container): string[] {
  const named = (text: string) => [...text.matchAll(/\$\(([^)]+)\)/g)].map(([, name]) => name as string);
  const before = (index: number) => env.slice(0, index).map(({ name }) => name);
  return [
    ...env.flatMap(({ value = "" }, index) => named(value).filter((name) => !before(index).includes(name))),
    ...[...command, ...args].flatMap(named).filter((name) => !before(env.length).includes(name)),
  ].map((name) => `$(${name}) is not set where it is used`);
}

function configMapFaults(
  name: string | undefined,
  key: string,
  namespace: string,
  manifests: readonly Manifest[],
): string[] {
  const map = find(manifests, "ConfigMap", namespace, name);
  if (map === undefined) return [`there is no ConfigMap ${name}`];
  return isObject(map.data) && Object.hasOwn(map.data, key) ? [] : [`ConfigMap ${name} has no key ${key}`];
}

function secretFaults(name: string | undefined, key: string, secrets: DocumentedSecrets): string[] {
  const keys = secrets.get(name ?? "");
  if (keys === undefined) return [`docs/kubernetes.md says nothing of the Secret ${name}`];
  return keys.has(key) ? [] : [`docs/kubernetes.md has no key ${key} of the Secret ${name}`];
}

function objectFaults(
  manifest: Manifest,
  manifests: readonly Manifest[],
  workloads: readonly Workload[],
  secrets: DocumentedSecrets,
): string[] {
  const at = (fault: string) => `${titleOf(manifest)}: ${fault}`;
  const { namespace } = manifest.metadata;
  const spec = manifest.spec as never;
  switch (manifest.kind) {
    case "Service":
      return serviceFaults(spec, namespace, workloads).map(at);
    case "PodDisruptionBudget": {
      const { selector } = spec as { selector?: Selector };
      return podsFor(selector ?? {}, namespace, workloads).length === 0 ? [at("spec.selector matches no pod")] : [];
    }
    case "HorizontalPodAutoscaler": {
      const { scaleTargetRef: target } = spec as { scaleTargetRef: { apiVersion: string; kind: string; name: string } };
      const found = find(manifests, target.kind, namespace, target.name);
      return found?.apiVersion === target.apiVersion ? [] : [at(`there is no ${target.kind} ${target.name} to scale`)];
    }
    case "Ingress":
      return ingressFaults(spec, namespace, manifests, secrets).map(at);
    case "ServiceMonitor":
      return monitorFaults(spec, manifests).map(at);
    default:
      return [];
  }
}

function podsFor(selector: Selector, namespace: string | undefined, workloads: readonly Workload[]): Workload[] {
  return workloads.filter((one) => one.namespace === namespace && labelsMatch(selector, one.labels));
}

interface ServiceSpec {
  readonly selector?: Record<string, string>;
  readonly ports?: readonly { readonly name?: string; readonly port: number; readonly targetPort?: string | number }[];
}

function serviceFaults(spec: ServiceSpec, namespace: string | undefined, workloads: readonly Workload[]): string[] {
  const pods = podsFor({ matchLabels: spec.selector ?? {} }, namespace, workloads);
  if (spec.selector === undefined || pods.length === 0) return ["spec.selector matches no pod"];
  return (spec.ports ?? []).flatMap(({ port, targetPort = port }) => {
    const has = pods.every(({ spec: { containers } }) =>
      containers.some(({ ports = [] }) =>
        ports.some((one) => one.name === targetPort || one.containerPort === targetPort),
      ),
    );
    return has ? [] : [`its pods have no port ${targetPort}`];
  });
}

interface IngressSpec {
  readonly tls?: readonly { readonly hosts?: readonly string[]; readonly secretName?: string }[];
  readonly rules?: readonly {
    readonly host?: string;
    readonly http?: {
      readonly paths: readonly { backend: { service?: { name: string; port?: { name?: string; number?: number } } } }[];
    };
  }[];
}

function ingressFaults(
  { tls = [], rules = [] }: IngressSpec,
  namespace: string | undefined,
  manifests: readonly Manifest[],
  secrets: DocumentedSecrets,
): string[] {
  const secured = tls.flatMap(({ hosts = [] }) => hosts);
  return [
    ...tls.flatMap(({ secretName }) => ["tls.crt", "tls.key"].flatMap((key) => secretFaults(secretName, key, secrets))),
    ...rules.filter(({ host = "" }) => !secured.includes(host)).map(({ host }) => `${host} has no TLS`),
    ...rules
      .flatMap(({ http }) => http?.paths ?? [])
      .flatMap(({ backend: { service } }) => {
        const { ports = [] } = (find(manifests, "Service", namespace, service?.name)?.spec ?? {}) as ServiceSpec;
        const isThere = ports.some(({ name, port }) => name === service?.port?.name || port === service?.port?.number);
        const isGateway = namespace === "openfaas" && service?.name === "gateway" && service.port?.number === 8080;
        return isThere || isGateway ? [] : [`there is no Service ${service?.name} with this port`];
      }),
  ];
}

interface MonitorSpec {
  readonly selector: Selector;
  readonly endpoints: readonly { readonly port: string }[];
}

function monitorFaults({ selector, endpoints }: MonitorSpec, manifests: readonly Manifest[]): string[] {
  const services = manifests.filter(
    ({ kind, metadata }) => kind === "Service" && labelsMatch(selector, metadata.labels),
  );
  const names = services.flatMap(({ spec }) => ((spec as ServiceSpec).ports ?? []).map(({ name }) => name));
  return endpoints
    .filter(({ port }) => !names.includes(port))
    .map(({ port }) => `no Service that it selects has a port ${port}`);
}
