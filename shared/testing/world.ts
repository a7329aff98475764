/** A whole system in one process: real sidecars and real steps, over a broker of the test's choice. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryExchange } from "#adapters/memory/broker";
import { createMemoryInvoker } from "#adapters/memory/invoker";
import { createMemoryKnowledge } from "#adapters/memory/knowledge";
import { createMemoryLog } from "#adapters/memory/log";
import { createMemoryRecords, type MemoryRecords } from "#adapters/memory/records";
import { systemClock } from "#adapters/system/clock";
import type { Broker } from "#ports/broker";
import type { Invoker } from "#ports/invoker";
import type { Knowledge } from "#ports/knowledge";
import type { Records } from "#ports/records";
import type { Step } from "#runtime/define-step";
import type { SidecarApi } from "#sidecar/client";
import { type Sidecar, startSidecar } from "#sidecar/start-sidecar";
import { approvalEnvironment, testApprovalKeys } from "./approval-keys.ts";
import { type AskedAnswer, type AskedQuery, type AskOptions, apiOf, askOver, exchangeParty } from "./asker.ts";

export interface SeedEntry {
  readonly key: string;
  readonly value: unknown;
}

export interface WorldOptions {
  readonly documents: readonly SeedEntry[];
  /** Steps by party: `{ UVA: [sqlQuery, …] }`. */
  readonly steps: Readonly<Record<string, readonly Step[]>>;
  /** What a test has between a party's sidecar and its functions. */
  readonly aroundInvoker?: (party: string, invoker: Invoker) => Invoker;
  /** Of a party: each of its steps may go on with all others. */
  readonly fused?: readonly string[];
  /** Of each party's steps; UVA's sql-query finds its files by this. */
  readonly environments?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Absent: in memory. */
  readonly connect?: (party: string) => Promise<Broker>;
  /** Of a party; absent: in memory. */
  readonly records?: (party: string) => Promise<Records> | Records;
}

export interface World {
  readonly knowledge: Knowledge;
  readonly sidecars: ReadonlyMap<string, Sidecar>;
  readonly brokers: ReadonlyMap<string, Broker>;
  /** Those in memory. */
  readonly records: ReadonlyMap<string, MemoryRecords>;
  readonly api: SidecarApi;
  /** What the orchestrator would answer. */
  ask(query: AskedQuery, options?: AskOptions): Promise<AskedAnswer>;
  /** Ends one party's sidecar and its broker connection. */
  stopParty(party: string): Promise<void>;
  close(): Promise<void>;
}

export async function openWorld(options: WorldOptions): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "dynamos-world-"));
  const knowledge = createMemoryKnowledge({ clock: systemClock });
  for (const { key, value } of options.documents) {
    await knowledge.put(key, JSON.stringify(value));
  }
  const hub = createMemoryExchange();
  const connect = options.connect ?? (async (party: string) => hub.connect({ party }));
  const sidecars = new Map<string, Sidecar>();
  const brokers = new Map<string, Broker>();
  const inMemory = new Map<string, MemoryRecords>();
  for (const [party, steps] of Object.entries(options.steps)) {
    const environment = { ...approvalEnvironment, cache_dir: join(folder, party), ...options.environments?.[party] };
    const broker = await connect(party);
    const invoker = createMemoryInvoker(
      steps.map((step) => ({
        name: `${party.toLowerCase()}-${step.name}`,
        topic: `${party.toLowerCase()}.${step.name}`,
        step,
        ...(options.fused?.includes(party) ? { fused: steps } : {}),
      })),
      { clock: systemClock, environment },
    );
    brokers.set(party, broker);
    const instance = randomUUID();
    const records = (await options.records?.(party)) ?? recordsInMemory(party, instance, inMemory);
    sidecars.set(
      party,
      await startSidecar({
        party,
        exchangeParty,
        instance,
        broker,
        knowledge,
        invoker: options.aroundInvoker?.(party, invoker) ?? invoker,
        approvalKeys: testApprovalKeys,
        records,
        build: "test",
        clock: systemClock,
        log: createMemoryLog(),
      }),
    );
  }
  const exchange = sidecars.get(exchangeParty);
  if (exchange === undefined) throw new RangeError("a world needs the exchange party");
  const api = apiOf(exchange, knowledge);

  async function stopParty(party: string): Promise<void> {
    await sidecars.get(party)?.stop();
    await brokers.get(party)?.close();
    sidecars.delete(party);
    brokers.delete(party);
  }

  return {
    knowledge,
    sidecars,
    brokers,
    records: inMemory,
    api,
    ask: (query, options) => askOver(api, query, options),
    stopParty,
    close: async () => {
      await Promise.all([...sidecars.keys()].map(stopParty));
      await knowledge.close();
      // A step that nobody waits for any more, which no process ends here, may still write into it.
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

function recordsInMemory(party: string, instance: string, all: Map<string, MemoryRecords>): MemoryRecords {
  const records = createMemoryRecords({ party, instance });
  all.set(party, records);
  return records;
}
