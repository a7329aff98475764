/** The metrics that alerts, dashboards and the autoscaler name are those that the sidecars have, with their labels. */
import { parse } from "yaml";
import { createPrometheus } from "#adapters/prometheus/metrics";
import { isObject, type Manifest, titleOf } from "./manifest.ts";

/** Labels by the name of a series. */
export type Metrics = ReadonlyMap<string, ReadonlySet<string>>;

/** What Prometheus adds at a scrape. */
const scraped = ["namespace", "pod", "service", "endpoint", "container", "job", "instance"];
/** Of RabbitMQ and etcd. */
const others = [
  "etcd_server_has_leader",
  "rabbitmq_alarms_free_disk_space_watermark",
  "rabbitmq_alarms_memory_used_watermark",
];

/** Asks the program: each of its instruments is used once and read back. */
export async function readMetrics(): Promise<Metrics> {
  const prometheus = createPrometheus();
  const metrics = prometheus.forParty("UVA");
  metrics.taken("s");
  metrics.settled({ step: "s", how: "done", code: "", seconds: 1 });
  metrics.published({ type: "envelope", code: "", seconds: 1 });
  metrics.invoked({ function: "f", code: "", seconds: 1 });
  metrics.broker("connected");
  const queues = [{ name: "q", ready: 1, consumers: 1 }];
  metrics.watch(async () => ({ openRequests: 0, openGathers: 0, brokerConnected: true, queues }));
  const found = new Map(others.map((name) => [name, new Set(scraped)]));
  for (const line of (await prometheus.text()).split("\n")) {
    const [, name, labels = ""] = /^([a-z_]\w*)(?:\{(.*)\})? /.exec(line) ?? [];
    if (name === undefined) continue;
    const names = [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label as string);
    found.set(name, new Set([...(found.get(name) ?? scraped), ...names]));
  }
  return found;
}

const words = new Set(["and", "or", "unless", "by", "on", "without", "ignoring", "bool", "group_left", "group_right"]);

/** @param expression PromQL. @returns names that no metric has, and labels that its metrics do not have */
export function expressionFaults(expression: string, metrics: Metrics): string[] {
  const plain = expression
    .replace(/"(\\.|[^"\\])*"/g, '""')
    .replaceAll("<<.LabelMatchers>>", 'namespace=""')
    .replace(/\[[^\]]*\]/g, "");
  const groups = [...plain.matchAll(/\b(?:by|on|without|ignoring)\s*\(([^)]*)\)/g)].flatMap(([, list = ""]) =>
    list.split(","),
  );
  const series = [
    ...plain.replace(/\b(by|on|without|ignoring)\s*\([^)]*\)/g, " ").matchAll(/([a-zA-Z_:][\w:]*)\s*(\{[^}]*\}|\(|)/g),
  ]
    .map(([, name = "", after = ""]) => ({ name, after }))
    .filter(({ name, after }) => after !== "(" && !words.has(name));
  const unmatched = series.filter(({ name }) => !metrics.has(name)).map(({ name }) => `there is no metric ${name}`);
  const labels = (name: string) => metrics.get(name) ?? new Set<string>();
  const matchers = series.flatMap(({ name, after }) =>
    [...after.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = ""]) => ({ name, label })),
  );
  const foreign = matchers.filter(({ name, label }) => metrics.has(name) && !labels(name).has(label));
  const grouped = groups
    .map((label) => label.trim())
    .filter((label) => !series.some(({ name }) => labels(name).has(label)));
  return [
    ...unmatched,
    ...foreign.map(({ name, label }) => `${name} has no label ${label}`),
    ...grouped.map((label) => `none of its metrics has the label ${label}`),
    ...(series.length === 0 ? ["names no metric"] : []),
  ];
}

export function metricFaults(manifests: readonly Manifest[], metrics: Metrics): string[] {
  return manifests.flatMap((manifest) => faultsIn(manifest, metrics).map((fault) => `${titleOf(manifest)}: ${fault}`));
}

function faultsIn(manifest: Manifest, metrics: Metrics): string[] {
  try {
    return expressionsOf(manifest).flatMap((expression) =>
      expressionFaults(expression, metrics).map((fault) => `${fault} (${expression})`),
    );
  } catch (error) {
    return [`can't be read: ${(error as Error).message}`];
  }
}

/** PromQL of rules, dashboards and the autoscaler's metrics. */
export function expressionsOf(manifest: Manifest): string[] {
  switch (manifest.kind) {
    case "PrometheusRule":
      return valuesAt(manifest.spec, "expr");
    case "HorizontalPodAutoscaler":
      return metricNames(manifest.spec);
    case "ConfigMap":
      return Object.entries(isObject(manifest.data) ? manifest.data : {}).flatMap(([key, text]) =>
        expressionsIn(key, String(text)),
      );
    default:
      return [];
  }
}

function metricNames(spec: unknown): string[] {
  const { metrics = [] } = (spec ?? {}) as { metrics?: { external?: { metric: { name: string } } }[] };
  return metrics.flatMap(({ external }) => external?.metric.name ?? []);
}

function expressionsIn(key: string, text: string): string[] {
  if (key.endsWith(".json") && text.includes('"panels"')) {
    const variables = valuesAt(JSON.parse(text), "query").flatMap(
      (query) => /^label_values\((.+), (\w+)\)$/.exec(query) ?? [],
    );
    const [, metric, label] = variables;
    return [...valuesAt(JSON.parse(text), "expr"), ...(metric === undefined ? [] : [`sum by (${label}) (${metric})`])];
  }
  if (!key.endsWith("-rules.yaml")) return [];
  return [
    ...valuesAt(parse(text), "seriesQuery"),
    ...valuesAt(parse(text), "metricsQuery"),
    ...valuesAt(parse(text), "as"),
  ];
}

/** Texts under a key, wherever it is. */
function valuesAt(value: unknown, wanted: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => valuesAt(item, wanted));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, child]) =>
    key === wanted && typeof child === "string" ? [child] : valuesAt(child, wanted),
  );
}
