/**
 * Who may open a connection to whom, as the NetworkPolicies say: both sides must let it through, and a side that no
 * policy selects lets everything through. What is not of a set, such as the ingress controller, counts as such a side.
 */
import type { V1NetworkPolicyPeer, V1NetworkPolicyPort, V1NetworkPolicySpec } from "@kubernetes/client-node";
import { namespaceNameLabel, type Pod } from "./elsewhere.ts";
import { type Manifest, titleOf } from "./manifest.ts";
import { labelsMatch, type Selector } from "./selector.ts";
import { workloadsOf } from "./workloads.ts";

type Direction = "ingress" | "egress";

interface Policy extends V1NetworkPolicySpec {
  readonly title: string;
  readonly namespace: string;
}

interface Cluster {
  readonly pods: readonly Pod[];
  readonly policies: readonly Policy[];
  /** By name. */
  readonly namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

export function podsOf(manifests: readonly Manifest[]): Pod[] {
  return workloadsOf(manifests).map(({ namespace, labels, spec, manifest }) => ({
    namespace,
    labels,
    ports: new Map(
      spec.containers.flatMap(({ ports = [] }) => ports.map((one) => [one.name ?? "", one.containerPort])),
    ),
    title: `${namespace}/${manifest.metadata.name}`,
  }));
}

/** `dynamos-uva/sidecar → dynamos-uva/sql-query:8080`, sorted; to an address: `… → 192.0.2.1/32:443`. */
export function flowsOf(manifests: readonly Manifest[], elsewhere: readonly Pod[]): string[] {
  const cluster = clusterOf(manifests, elsewhere);
  const own = podsOf(manifests);
  const between = cluster.pods.flatMap((from) =>
    cluster.pods.flatMap((to) =>
      [...new Set(to.ports.values())]
        // Two pods of others are not ours to look at.
        .filter((port) => (isHeld(from, cluster) || isHeld(to, cluster)) && isOpen(from, to, port, cluster))
        .map((port) => `${from.title} → ${to.title}:${port}`),
    ),
  );
  const outward = own.flatMap((from) => addressesOf(from, cluster).map((address) => `${from.title} → ${address}`));
  return [...new Set([...between, ...outward])].sort();
}

/** Policies that select nobody, name nobody, or name a port that nobody has. */
export function policyFaults(manifests: readonly Manifest[], elsewhere: readonly Pod[]): string[] {
  const cluster = clusterOf(manifests, elsewhere);
  return cluster.policies.flatMap((policy) => {
    const selected = cluster.pods.filter((pod) => isSelected(pod, policy));
    const faults = selected.length === 0 ? ["spec.podSelector matches no pod"] : [];
    for (const direction of ["ingress", "egress"] as const) {
      for (const { peers, ports } of rulesOf(policy, direction)) {
        const found = cluster.pods.filter((pod) => peers.some((peer) => isPeer(pod, peer, policy, cluster)));
        const nobody = peers.some(
          (one) => one.ipBlock === undefined && !found.some((pod) => isPeer(pod, one, policy, cluster)),
        );
        if (nobody) faults.push(`a peer of its ${direction} matches no pod`);
        const holders = direction === "ingress" ? selected : found;
        const missing = ports.filter(({ port }) => holders.length > 0 && !holders.some((pod) => isPortOf(pod, port)));
        faults.push(...missing.map(({ port }) => `${direction}: port ${port} is nobody's`));
      }
    }
    return faults.map((fault) => `${policy.title}: ${fault}`);
  });
}

function clusterOf(manifests: readonly Manifest[], elsewhere: readonly Pod[]): Cluster {
  const policies = manifests
    .filter(({ kind }) => kind === "NetworkPolicy")
    .map((manifest) => ({
      ...(manifest.spec as V1NetworkPolicySpec),
      title: titleOf(manifest),
      namespace: manifest.metadata.namespace ?? "",
    }));
  const pods = [...podsOf(manifests), ...elsewhere];
  const named = manifests
    .filter(({ kind }) => kind === "Namespace")
    .map(({ metadata }) => [metadata.name, metadata.labels] as const);
  const labels = new Map([...pods.map(({ namespace }) => [namespace, {}] as const), ...named]);
  return {
    pods,
    policies,
    namespaces: new Map([...labels].map(([name, own]) => [name, { ...own, [namespaceNameLabel]: name }])),
  };
}

interface Rule {
  readonly peers: readonly V1NetworkPolicyPeer[];
  readonly ports: readonly V1NetworkPolicyPort[];
}

function rulesOf(policy: V1NetworkPolicySpec, direction: Direction): Rule[] {
  return direction === "ingress"
    ? (policy.ingress ?? []).map(({ _from, ports = [], ...rest }) => ({
        peers: _from ?? (rest as { from?: V1NetworkPolicyPeer[] }).from ?? [],
        ports,
      }))
    : (policy.egress ?? []).map(({ to = [], ports = [] }) => ({ peers: to, ports }));
}

function isSelected(pod: Pod, { namespace, podSelector }: Policy): boolean {
  return pod.namespace === namespace && labelsMatch((podSelector ?? {}) as Selector, pod.labels);
}

/** Whether some policy says what this pod may do. */
function isHeld(pod: Pod, { policies }: Cluster): boolean {
  return policies.some((policy) => isSelected(pod, policy));
}

function isPeer(pod: Pod, peer: V1NetworkPolicyPeer, policy: Policy, { namespaces }: Cluster): boolean {
  if (peer.ipBlock !== undefined) return false;
  const inNamespace =
    peer.namespaceSelector === undefined
      ? pod.namespace === policy.namespace
      : labelsMatch(peer.namespaceSelector as Selector, namespaces.get(pod.namespace));
  return inNamespace && labelsMatch((peer.podSelector ?? {}) as Selector, pod.labels);
}

function isPortOf({ ports }: Pod, port: V1NetworkPolicyPort["port"]): boolean {
  return [...ports].some(([name, number]) => name === port || number === port);
}

function isOpen(from: Pod, to: Pod, port: number, cluster: Cluster): boolean {
  return lets("egress", from, to, port, to, cluster) && lets("ingress", to, from, port, to, cluster);
}

/** @param owner of the port */
function lets(direction: Direction, pod: Pod, other: Pod, port: number, owner: Pod, cluster: Cluster): boolean {
  const type = direction === "ingress" ? "Ingress" : "Egress";
  const holding = cluster.policies.filter((one) => isSelected(pod, one) && (one.policyTypes ?? []).includes(type));
  if (holding.length === 0) return true;
  return holding.some((policy) =>
    rulesOf(policy, direction).some(
      ({ peers, ports }) =>
        (peers.length === 0 || peers.some((peer) => isPeer(other, peer, policy, cluster))) &&
        (ports.length === 0 || ports.some((one) => one.port === port || owner.ports.get(String(one.port)) === port)),
    ),
  );
}

function addressesOf(pod: Pod, { policies }: Cluster): string[] {
  return policies
    .filter((policy) => isSelected(pod, policy))
    .flatMap((policy) => rulesOf(policy, "egress"))
    .flatMap(({ peers, ports }) =>
      peers.flatMap(({ ipBlock }) => (ipBlock === undefined ? [] : ports.map(({ port }) => `${ipBlock.cidr}:${port}`))),
    );
}
