/** The demo's system, to be asked by one subject as often as they like: for tests of load. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createMemoryLog } from "#adapters/memory/log";
import { demoDataSets, writeDemoData } from "#data/demo-data";
import { dataSetKey } from "#domain/knowledge-keys";
import { demoDocuments } from "../../cli/demo/documents.ts";
import { readStack } from "../../cli/stack/read-stack.ts";
import { type System, type SystemOptions, startSystem } from "../../cli/system/start-system.ts";
import { startRabbitmq } from "./rabbitmq.ts";
import { openTokens } from "./tokens.ts";

export interface LoadedSystem {
  readonly system: System;
  /** A researcher's bearer token. */
  readonly token: string;
  stop(): Promise<void>;
}

export interface LoadedSystemOptions extends Pick<SystemOptions, "sidecars"> {
  /** A RabbitMQ is started for it alone: the names of a whole system's queues are the same everywhere. */
  readonly broker: "memory" | "rabbitmq";
}

const home = resolve(import.meta.dirname, "../..");
const requestsPerMinute = 1_000_000;

export async function openLoadedSystem({ broker, sidecars }: LoadedSystemOptions): Promise<LoadedSystem> {
  const closers: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const dataDir = await mkdtemp(join(tmpdir(), "dynamos-loaded-"));
    closers.push(() => rm(dataDir, { recursive: true, force: true }));
    await writeDemoData(dataDir);
    const tokens = await openTokens();
    closers.push(() => tokens.remove());
    const rabbitmq = broker === "rabbitmq" ? await startRabbitmq() : undefined;
    if (rabbitmq !== undefined) closers.push(() => rabbitmq.stop());
    const seeded = demoDataSets.map((value) => ({ key: dataSetKey(value.party, value.name), value }));
    const system = await startSystem({
      issuer: tokens.issuer,
      requestsPerMinute,
      stack: await readStack(join(home, "stack.yml")),
      buildDir: join(home, "build/functions"),
      port: 0,
      broker: rabbitmq?.url ?? "memory",
      sidecars,
      documents: [...demoDocuments, ...seeded],
      dataDir,
      log: createMemoryLog(),
      logLevel: "error",
      onProgress: () => {},
    });
    closers.push(() => system.stop());
    return { system, token: await tokens.tokenOf(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
