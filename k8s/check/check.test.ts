import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { faultsOf, type Known, readKnown } from "./check.ts";
import { podsElsewhere } from "./elsewhere.ts";
import { flowsOf } from "./flows.ts";
import type { Manifest } from "./manifest.ts";
import { altered, incomplete, misspelt } from "./mutants.ts";
import { secretsIn, secretValueFaults } from "./secrets.ts";
import { renderSet, sets } from "./sets.ts";
import { stackFaults } from "./stack-agreement.ts";
import { typeFaults } from "./typed.ts";

const checkout = resolve(import.meta.dirname, "../..");
const home = resolve(checkout, "k8s");
let known: Known;
const rendered = new Map<string, readonly Manifest[]>();
const of = (set: string) => rendered.get(set) as readonly Manifest[];

beforeAll(async () => {
  known = await readKnown(checkout);
  for (const set of Object.keys(sets)) rendered.set(set, await renderSet(home, set));
}, 60_000);

describe("the manifests", () => {
  it.each(Object.keys(sets))("have no fault in the set %s", (set) => {
    expect(of(set).length).toBeGreaterThan(10);
    expect(faultsOf(of(set), known)).toEqual([]);
  });

  it("agree with stack.yml where there is no OpenFaaS", () => {
    expect(stackFaults(of("plain"), known.stack)).toEqual([]);
  });

  it("name the same parties for the broker and for the knowledge base", async () => {
    const [broker, knowledge] = await Promise.all(
      ["broker", "knowledge"].map((folder) => readFile(resolve(home, folder, "parties.json"), "utf8")),
    );
    expect(knowledge).toBe(broker);
  });

  it("hold no secret, and need none that the page does not name", async () => {
    expect(await secretValueFaults(home)).toEqual([]);
    const named = JSON.stringify([...rendered.values()]);
    const unused = [...known.secrets.keys()].filter((name) => !named.includes(`"${name}"`));
    expect(unused).toEqual([]);
  });
});

describe("who reaches whom", () => {
  const to = (set: string, form: RegExp) =>
    flowsOf(of(set), podsElsewhere(known.stack)).filter((flow) => form.test(flow));

  it("lets nobody but its sidecar post to a function", () => {
    const posts = to("plain", / → dynamos(-uva|-vu|-surf)?\/(?!sidecar|collector)[-a-z]+:8080$/);
    const others = posts.filter((flow) => {
      const [, namespace] = /^([-a-z]+)\/sidecar → /.exec(flow) ?? [];
      return namespace === undefined || !flow.includes(` → ${namespace}/`);
    });
    expect(others).toEqual(["ingress-nginx/ingress-nginx → dynamos/orchestrator:8080"]);
    expect(posts.filter((flow) => flow.startsWith("dynamos-uva/"))).toEqual(
      ["sql-algorithm", "sql-anonymize", "sql-graph", "sql-query"].map(
        (name) => `dynamos-uva/sidecar → dynamos-uva/${name}:8080`,
      ),
    );
  });

  it("lets a function reach nobody, but for the orchestrator", () => {
    expect(to("plain", /^dynamos(-uva|-vu|-surf)?\/(?!sidecar)/)).toEqual([
      "dynamos/orchestrator → 203.0.113.10/32:443",
      "dynamos/orchestrator → dynamos/sidecar:7070",
      "dynamos/orchestrator → kube-system/kube-dns:53",
    ]);
    for (const set of ["exchange", "single-node"]) {
      expect(to(set, /^openfaas-fn\//)).toEqual([
        "openfaas-fn/orchestrator → dynamos/sidecar:7070",
        "openfaas-fn/orchestrator → kube-system/kube-dns:53",
      ]);
    }
    expect(to("party UVA", /^openfaas-fn\//)).toEqual([]);
  });

  it("lets the gateway alone post to functions of OpenFaaS, and few reach the gateway", () => {
    for (const set of ["exchange", "single-node", "party UVA"]) {
      const posts = to(set, / → openfaas-fn\/.+:8080$/);
      expect(posts.length).toBeGreaterThan(1);
      expect(posts.filter((flow) => !flow.startsWith("openfaas/gateway → "))).toEqual([]);
    }
    expect(to("party UVA", / → openfaas\/gateway:8080$/)).toEqual([
      "dynamos-uva/sidecar → openfaas/gateway:8080",
      "openfaas/gateway → openfaas/gateway:8080",
    ]);
    expect(to("exchange", / → openfaas\/gateway:8080$/)).toEqual([
      "dynamos/sidecar → openfaas/gateway:8080",
      "ingress-nginx/ingress-nginx → openfaas/gateway:8080",
      "openfaas/gateway → openfaas/gateway:8080",
    ]);
  });

  it("lets a party's sidecar reach broker, knowledge base, names and what runs its functions, and nothing else", () => {
    expect(to("party UVA", /^dynamos-uva\//)).toEqual([
      "dynamos-uva/sidecar → 198.51.100.10/32:5671",
      "dynamos-uva/sidecar → 198.51.100.11/32:2379",
      "dynamos-uva/sidecar → kube-system/kube-dns:53",
      "dynamos-uva/sidecar → openfaas/gateway:8080",
    ]);
    expect(to("plain", /^dynamos-surf\/sidecar/)).toEqual([
      "dynamos-surf/sidecar → dynamos-broker/rabbitmq:5671",
      "dynamos-surf/sidecar → dynamos-knowledge/etcd:2379",
      "dynamos-surf/sidecar → dynamos-surf/sql-aggregate:8080",
      "dynamos-surf/sidecar → dynamos-surf/sql-algorithm:8080",
      "dynamos-surf/sidecar → dynamos-surf/sql-graph:8080",
      "dynamos-surf/sidecar → kube-system/kube-dns:53",
    ]);
  });

  it("lets nobody out of the cluster but to addresses that an overlay names", () => {
    for (const set of Object.keys(sets)) {
      const outward = to(set, / → \d+\.\d+\.\d+\.\d+\//).map((flow) => flow.split(" → ")[1] as string);
      expect(outward.filter((address) => !/^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+\/32:\d+$/.test(address))).toEqual(
        [],
      );
    }
  });
});

/** Nothing in the project says what these must be. */
const free = [
  /metadata\.labels\.|template\.metadata\.labels\.app\.kubernetes\.io\/part-of|metadata\.annotations\./,
  /^(PodDisruptionBudget|NetworkPolicy|HorizontalPodAutoscaler|Ingress|ServiceMonitor|PrometheusRule|Service) metadata\.name$/,
  /^(ServiceMonitor|PrometheusRule) metadata\.namespace$/,
  /^Service spec\.(publishNotReadyAddresses|ports\[\]\.name)$/,
  /^PodDisruptionBudget spec\.maxUnavailable$/,
  /^HorizontalPodAutoscaler spec\.(maxReplicas|behavior\.)/,
  /^Ingress spec\.(ingressClassName|rules\[\]\.http\.paths\[\]\.path)$/,
  /spec\.template\.spec\.securityContext\.(runAsUser|runAsGroup|fsGroup)$/,
  /spec\.template\.spec\.topologySpreadConstraints\[\]\.(maxSkew|topologyKey)$/,
  /spec\.template\.spec\.(initContainers|containers)\[\]\.(name|command\[\]|volumeMounts\[\]\.(mountPath|readOnly))$/,
  /spec\.template\.spec\.containers\[\]\.(livenessProbe|lifecycle\.preStop)\.exec\.command\[\]$/,
  /spec\.template\.spec\.containers\[\]\.(env\[\]\.value|args\[\])$/,
  /spec\.template\.spec\.volumes\[\]\.(secret|projected\.sources\[\]\.(configMap|secret))\.items\[\]\.path$/,
  /spec\.template\.spec\.volumes\[\]\.persistentVolumeClaim\.readOnly$/,
  /^ServiceMonitor spec\.endpoints\[\]\.path$/,
  /^PrometheusRule spec\.groups\[\]\.(name|rules\[\]\.(alert|annotations\.\w+))$/,
  /^ConfigMap data\.(rabbitmq\.conf|cluster\.conf|enabled_plugins|ETCD_INITIAL_CLUSTER|KNOWLEDGE|GATEWAY|OTLP_ENDPOINT|token_jwks_url)$/,
  /^ConfigMap data\.(collector-config\.yaml|parties\.json)$/,
  /^Job (metadata\.name|spec\.(backoffLimit|ttlSecondsAfterFinished))$/,
];

describe("the check", () => {
  it("sees each field of each manifest when it is misspelt, and when it is missing and must be there", () => {
    const unseen: string[] = [];
    let planted = 0;
    for (const manifest of new Set([...rendered.values()].flat())) {
      for (const mutant of [...misspelt(manifest), ...incomplete(manifest)]) {
        planted += 1;
        if (typeFaults(mutant.manifest).length === 0) unseen.push(mutant.title);
      }
    }
    expect(unseen).toEqual([]);
    expect(planted).toBeGreaterThan(10_000);
  }, 60_000);

  it("sees each kind of value when it is another, but for those that are free", () => {
    const tried = new Set<string>();
    const unseen: string[] = [];
    for (const set of ["plain", "exchange"]) {
      const manifests = of(set);
      for (const [index, manifest] of manifests.entries()) {
        for (const { pattern, title, manifest: mutant } of altered(manifest)) {
          if (tried.has(pattern) || free.some((one) => one.test(pattern))) continue;
          tried.add(pattern);
          if (typeFaults(mutant).length > 0) continue;
          const faults = faultsOf(manifests.with(index, mutant), known);
          if (faults.length === 0 && set === "plain")
            faults.push(...stackFaults(manifests.with(index, mutant), known.stack));
          if (faults.length === 0) unseen.push(title);
        }
      }
    }
    expect(unseen).toEqual([]);
    expect(tried.size).toBeGreaterThan(150);
  }, 120_000);

  it.each([
    ["Secret", "apiVersion: v1\nkind: Secret\n"],
    ["key", "data: |\n  -----BEGIN PRIVATE KEY-----\n"],
    ["address with a password", "url: amqps://uva:hunter22@broker.example/dynamos\n"],
    ["password", "  - PASSWORD=correcthorsebattery\n"],
    ["hash", '{ "name": "uva", "password_hash": "c2FsdGVkaGFzaA==" }'],
  ])("sees a %s in a file", (_, text) => {
    expect(secretsIn(text)).toHaveLength(1);
  });
});
