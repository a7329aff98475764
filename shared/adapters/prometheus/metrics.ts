/** Metrics in Prometheus' text format, of one or more parties in this process. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { version } from "#domain/version";
import type { Metrics, Readings } from "#ports/metrics";

export interface Prometheus {
  forParty(party: string): Metrics;
  readonly contentType: string;
  /** The whole page of a scrape. */
  text(): Promise<string>;
}

/** From a hop of a warm function (2 ms) to the longest query (120 s). */
const buckets = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

export function createPrometheus(): Prometheus {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const instruments = instrumentsOf(registry);
  const watched = new Map<string, () => Promise<Readings>>();
  return {
    forParty: (party) => metricsOf(party, instruments, watched),
    contentType: registry.contentType,
    text: async () => {
      await readAll(instruments, watched);
      return registry.metrics();
    },
  };
}

type Instruments = ReturnType<typeof instrumentsOf>;

function instrumentsOf(registry: Registry) {
  const registers = [registry];
  const counter = (name: string, help: string, ...labels: string[]) =>
    new Counter({ name, help, labelNames: ["party", ...labels], registers });
  const histogram = (name: string, help: string, ...labels: string[]) =>
    new Histogram({ name, help, labelNames: ["party", ...labels], buckets, registers });
  const gauge = (name: string, help: string, ...labels: string[]) =>
    new Gauge({ name, help, labelNames: ["party", ...labels], registers });
  return {
    taken: counter("dynamos_messages_taken_total", "Messages that reached their handler", "step"),
    settled: counter("dynamos_messages_settled_total", "What became of them, and why", "step", "how", "code"),
    published: counter("dynamos_messages_published_total", "Messages sent; no code: confirmed", "type", "code"),
    broker: counter("dynamos_broker_status_changes_total", "Changes of the broker's connection", "status"),
    handling: histogram("dynamos_hop_seconds", "From a message's arrival to what became of it", "step"),
    confirm: histogram("dynamos_publish_seconds", "From a publish to its confirm", "type"),
    invocation: histogram("dynamos_invocation_seconds", "Of one call of a function", "function", "code"),
    requests: gauge("dynamos_open_requests", "Queries that somebody waits for here"),
    gathers: gauge("dynamos_open_gathers", "Gathers that wait for parts here"),
    connected: gauge("dynamos_broker_connected", "1: connected to the broker"),
    ready: gauge("dynamos_queue_messages_ready", "Messages that wait for a consumer", "queue"),
    build: gauge("dynamos_build_info", "1: this version of dynamos runs", "version"),
    consumers: gauge("dynamos_queue_consumers", "Consumers of a queue", "queue"),
  };
}

function metricsOf(party: string, to: Instruments, watched: Map<string, () => Promise<Readings>>): Metrics {
  to.build.set({ party, version }, 1);
  return {
    taken: (step) => to.taken.inc({ party, step }),
    settled: ({ step, how, code, seconds }) => {
      to.settled.inc({ party, step, how, code });
      to.handling.observe({ party, step }, seconds);
    },
    published: ({ type, code, seconds }) => {
      to.published.inc({ party, type, code });
      to.confirm.observe({ party, type }, seconds);
    },
    invoked: ({ function: name, code, seconds }) => to.invocation.observe({ party, function: name, code }, seconds),
    broker: (status) => to.broker.inc({ party, status }),
    watch: (read) => {
      watched.set(party, read);
      return () => void watched.delete(party);
    },
  };
}

/** A party whose readings fail has none: what was so a while ago is not so now. */
async function readAll(to: Instruments, watched: Map<string, () => Promise<Readings>>): Promise<void> {
  for (const gauge of [to.requests, to.gathers, to.connected, to.ready, to.consumers]) gauge.reset();
  await Promise.allSettled(
    [...watched].map(async ([party, read]) => {
      const { openRequests, openGathers, brokerConnected, queues } = await read();
      to.requests.set({ party }, openRequests);
      to.gathers.set({ party }, openGathers);
      to.connected.set({ party }, brokerConnected ? 1 : 0);
      for (const { name, ready, consumers } of queues) {
        to.ready.set({ party, queue: name }, ready);
        to.consumers.set({ party, queue: name }, consumers);
      }
    }),
  );
}
