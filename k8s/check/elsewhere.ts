/** What the clusters have that k8s/ does not make: others' pods, and functions that OpenFaaS deploys. */
import type { Stack } from "../../cli/stack/read-stack.ts";

export interface Pod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** By name; a pod of ours has all of its ports here, one of others those that we know. */
  readonly ports: ReadonlyMap<string, number>;
  readonly title: string;
}

const others = [
  { namespace: "kube-system", labels: { "k8s-app": "kube-dns" }, ports: { dns: 53 } },
  { namespace: "ingress-nginx", labels: { "app.kubernetes.io/name": "ingress-nginx" }, ports: {} },
  { namespace: "monitoring", labels: { "app.kubernetes.io/name": "prometheus" }, ports: {} },
  // OpenFaaS's chart.
  { namespace: "openfaas", labels: { app: "gateway" }, ports: { http: 8080, metrics: 8082 } },
] as const;

/** The namespaces' labels that policies look at; each has its name besides. */
export const namespaceNameLabel = "kubernetes.io/metadata.name";

export function podsElsewhere({ functions }: Stack): Pod[] {
  const deployed = functions.map(({ name }) => ({
    namespace: "openfaas-fn",
    labels: { faas_function: name },
    ports: { http: 8080, metrics: 8081 },
  }));
  return [...others, ...deployed].map(({ namespace, labels, ports }) => ({
    namespace,
    labels,
    ports: new Map(Object.entries(ports)),
    title: `${namespace}/${Object.values(labels)[0]}`,
  }));
}

/** Services by `NAME.NAMESPACE`, with their ports. */
export const servicesElsewhere: ReadonlyMap<string, readonly number[]> = new Map([["gateway.openfaas", [8080]]]);
