/** Whole systems to measure beside each other: each with a kind of workers, over a broker of its own. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { jsonLog } from "#adapters/system/log";
import { type RabbitMq, startRabbitmq } from "#testing/rabbitmq";
import type { Orchestrator } from "../commands/ask.ts";
import { demoUser } from "../demo/documents.ts";
import { home } from "../stack/parties.ts";
import { readStack, type Stack } from "../stack/read-stack.ts";
import type { SeedDocument } from "../system/seed.ts";
import { type System, startSystem } from "../system/start-system.ts";
import { openDemoIssuer } from "../tokens/demo-issuer.ts";
import { stateFolder } from "../tokens/state-folder.ts";
import { type Bundles, bundlesOf, type Workers } from "./bench-bundles.ts";
import { makeDemoData } from "./demo-bench-data.ts";
import { childrenOf } from "./processes.ts";

export interface BenchSystemOptions {
  /** `memory`, or the URL of a RabbitMQ that no other system uses. */
  readonly broker: string;
  readonly queueType?: "classic" | "quorum";
  readonly workers?: Workers;
  readonly sidecars?: "in-process" | "processes";
  /** Absent: the demo's, without the functions that no question here needs. */
  readonly stack?: Stack;
  /** Absent: the demo's. */
  readonly data?: BenchData;
}

export interface BenchData {
  /** With the files of all parties. */
  readonly folder: string;
  readonly documents: readonly SeedDocument[];
}

export interface BenchSystem {
  readonly system: System;
  readonly orchestrator: Orchestrator;
  /** The processes that were started for it; their own are below them. */
  readonly roots: readonly number[];
  stop(): Promise<void>;
}

/** One subject asks all questions of a measurement, as fast as they are answered. */
const requestsPerMinuteMax = 1_000_000;
const lifetimeS = 86_400;
/** What the questions of the benches need not. */
const unneeded = /-sql-graph$|^agreement-check$/;

export async function startBenchSystem(options: BenchSystemOptions): Promise<BenchSystem> {
  const { broker, queueType, workers = "default", sidecars = "in-process" } = options;
  const closers: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const issuer = await openDemoIssuer(stateFolder());
    const bundles = await bundlesOf(workers);
    closers.push(bundles.remove);
    const data = options.data ?? (await ownDemoData(closers));
    const before = new Set(childrenOf(process.pid));
    const system = await startSystem({
      stack: withSettings(options.stack ?? (await neededStack()), bundles),
      buildDir: bundles.folder,
      port: 0,
      broker,
      queueType,
      sidecars,
      issuer,
      requestsPerMinute: requestsPerMinuteMax,
      documents: data.documents,
      dataDir: data.folder,
      log: jsonLog({ level: "error" }),
      logLevel: "error",
      onProgress: () => {},
    });
    closers.push(() => system.stop());
    const roots = childrenOf(process.pid).filter((pid) => !before.has(pid));
    const token = await issuer.sign({ user: demoUser, roles: ["researcher"] }, lifetimeS);
    return { system, orchestrator: { gatewayUrl: system.url, token }, roots, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export async function neededStack(): Promise<Stack> {
  const stack = await readStack(join(home, "stack.yml"));
  return { ...stack, functions: stack.functions.filter(({ name }) => !unneeded.test(name)) };
}

export function withSettings(stack: Stack, { settingsOf }: Pick<Bundles, "settingsOf">): Stack {
  const functions = stack.functions.map((fn) => {
    const { environment, annotations } = settingsOf(fn.name);
    return {
      ...fn,
      environment: { ...fn.environment, ...environment },
      annotations: { ...fn.annotations, ...annotations },
    };
  });
  return { ...stack, functions };
}

async function ownDemoData(closers: (() => Promise<void>)[]): Promise<BenchData> {
  const data = await makeDemoData();
  closers.push(data.remove);
  return data;
}

export interface BenchBroker {
  readonly roots: readonly number[];
  /** Of a fresh virtual host: systems that shared one would take each other's messages. */
  url(): Promise<string>;
  stop(): Promise<void>;
}

export async function startBenchBroker(): Promise<BenchBroker> {
  const before = new Set(childrenOf(process.pid));
  const rabbitmq: RabbitMq = await startRabbitmq();
  return {
    roots: childrenOf(process.pid).filter((pid) => !before.has(pid)),
    url: async () => {
      const host = `bench-${randomUUID().slice(0, 8)}`;
      await rabbitmq.control("add_vhost", host);
      await rabbitmq.control("set_permissions", "-p", host, "test", ".*", ".*", ".*");
      return `${rabbitmq.url}/${host}`;
    },
    stop: () => rabbitmq.stop(),
  };
}
