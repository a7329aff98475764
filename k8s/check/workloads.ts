/** The pods that manifests make, and what can be looked up in a set. Only for manifests whose types are right. */
import type { V1Container, V1PersistentVolumeClaim, V1PodSpec } from "@kubernetes/client-node";
import { isObject, type Manifest } from "./manifest.ts";

export interface Workload {
  readonly manifest: Manifest;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: V1PodSpec;
  /** Of a StatefulSet: volumes that each pod has. */
  readonly claims: readonly string[];
}

/** Deployments, StatefulSets and Jobs. */
export function workloadsOf(manifests: readonly Manifest[]): Workload[] {
  return manifests.flatMap((manifest) => {
    const spec = isObject(manifest.spec) ? manifest.spec : {};
    if (!isObject(spec.template)) return [];
    const template = spec.template as { metadata?: { labels?: Record<string, string> }; spec: V1PodSpec };
    const templates = (spec.volumeClaimTemplates ?? []) as V1PersistentVolumeClaim[];
    return [
      {
        manifest,
        namespace: manifest.metadata.namespace ?? "",
        labels: template.metadata?.labels ?? {},
        spec: template.spec,
        claims: templates.map(({ metadata }) => metadata?.name ?? ""),
      },
    ];
  });
}

export function containersOf({ spec }: Workload): V1Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

export function find(
  manifests: readonly Manifest[],
  kind: string,
  namespace: string | undefined,
  name: string | undefined,
): Manifest | undefined {
  return manifests.find(
    (one) => one.kind === kind && one.metadata.namespace === namespace && one.metadata.name === name,
  );
}
