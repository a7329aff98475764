/** Kubernetes' Pod Security Standard "restricted", and what we ask for besides. */
import type { V1Container } from "@kubernetes/client-node";
import { type Manifest, titleOf } from "./manifest.ts";
import { containersOf, find, type Workload, workloadsOf } from "./workloads.ts";

const modes = ["enforce", "audit", "warn"].map((mode) => `pod-security.kubernetes.io/${mode}`);
/** Of the standard. */
const volumeKinds = ["configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"];

export function podSecurityFaults(manifests: readonly Manifest[]): string[] {
  const namespaces = manifests.filter(({ kind }) => kind === "Namespace");
  return [
    ...namespaces.flatMap(({ metadata }) =>
      modes
        .filter((mode) => metadata.labels?.[mode] !== "restricted")
        .map((mode) => `Namespace ${metadata.name}: ${mode} must be restricted`),
    ),
    ...workloadsOf(manifests).flatMap((workload) =>
      [...podFaults(workload, manifests), ...containersOf(workload).flatMap(containerFaults)].map(
        (fault) => `${titleOf(workload.manifest)}: ${fault}`,
      ),
    ),
    ...manifests
      .filter(({ kind, automountServiceAccountToken: token }) => kind === "ServiceAccount" && token !== false)
      .map((manifest) => `${titleOf(manifest)}: automountServiceAccountToken must be false`),
  ];
}

function podFaults({ spec, namespace }: Workload, manifests: readonly Manifest[]): string[] {
  const { securityContext: context = {}, volumes = [] } = spec;
  const rules: readonly (readonly [boolean, string])[] = [
    [find(manifests, "Namespace", undefined, namespace) !== undefined, `its namespace ${namespace} is not described`],
    [context.runAsNonRoot === true, "runAsNonRoot must be true"],
    [(context.runAsUser ?? 0) > 0, "runAsUser must be somebody's number"],
    [context.seccompProfile?.type === "RuntimeDefault", "seccompProfile must be RuntimeDefault"],
    [spec.automountServiceAccountToken === false, "automountServiceAccountToken must be false"],
    [
      spec.enableServiceLinks === false,
      "enableServiceLinks must be false: else others' services are in its environment",
    ],
    [spec.hostNetwork !== true && spec.hostPID !== true && spec.hostIPC !== true, "nothing of the host may be shared"],
  ];
  const foreign = volumes.flatMap((volume) =>
    Object.keys(volume).filter((key) => key !== "name" && !volumeKinds.includes(key)),
  );
  return [
    ...rules.filter(([isKept]) => !isKept).map(([, sentence]) => sentence),
    ...foreign.map((kind) => `a volume of kind ${kind} is not allowed`),
  ];
}

function containerFaults({ name, securityContext: context = {}, resources = {}, ports = [] }: V1Container): string[] {
  const { capabilities } = context;
  const rules: readonly (readonly [boolean, string])[] = [
    [context.allowPrivilegeEscalation === false, "allowPrivilegeEscalation must be false"],
    [context.readOnlyRootFilesystem === true, "readOnlyRootFilesystem must be true"],
    [
      capabilities?.drop?.includes("ALL") === true && capabilities.add === undefined,
      "capabilities: drop ALL, add none",
    ],
    [
      context.privileged !== true && context.runAsUser === undefined,
      "privileged and runAsUser are not for a container",
    ],
    [
      ["cpu", "memory"].every((key) => resources.requests?.[key] !== undefined),
      "resources.requests need cpu and memory",
    ],
    [["cpu", "memory"].every((key) => resources.limits?.[key] !== undefined), "resources.limits need cpu and memory"],
    [ports.every(({ hostPort }) => hostPort === undefined), "hostPort is not allowed"],
  ];
  return rules.filter(([isKept]) => !isKept).map(([, sentence]) => `container ${name}: ${sentence}`);
}
