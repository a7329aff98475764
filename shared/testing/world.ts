/** A whole system in one process: real sidecars and real steps, over a broker of the test's choice. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryExchange } from "#adapters/memory/broker";
import { createMemoryInvoker } from "#adapters/memory/invoker";
import { createMemoryKnowledge } from "#adapters/memory/knowledge";
import { createMemoryLog } from "#adapters/memory/log";
import { systemClock } from "#adapters/system/clock";
import type { Query } from "#contracts";
import type { Broker } from "#ports/broker";
import type { Knowledge } from "#ports/knowledge";
import type { Step } from "#runtime/define-step";
import type { SidecarApi } from "#sidecar/client";
import { type Sidecar, startSidecar } from "#sidecar/start-sidecar";
import type { Answer } from "../../functions/orchestrator/answer.ts";
import { chooseFormat } from "../../functions/orchestrator/answer-response.ts";
import { runQuery } from "../../functions/orchestrator/run-query.ts";

export interface SeedEntry {
  readonly key: string;
  readonly value: unknown;
}

export interface WorldOptions {
  readonly documents: readonly SeedEntry[];
  /** Steps by party: `{ UVA: [sqlQuery, …] }`. */
  readonly steps: Readonly<Record<string, readonly Step[]>>;
  /** Of each party's steps; UVA's sql-query finds its files by this. */
  readonly environments?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Absent: in memory. */
  readonly connect?: (party: string) => Promise<Broker>;
}

/** As a client gets it. */
export interface AskedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface World {
  readonly knowledge: Knowledge;
  readonly sidecars: ReadonlyMap<string, Sidecar>;
  readonly brokers: ReadonlyMap<string, Broker>;
  readonly api: SidecarApi;
  /** What the orchestrator would answer. */
  ask(
    query: Partial<Query> & Pick<Query, "sql" | "providers">,
    options?: { timeoutMs?: number; signal?: AbortSignal },
  ): Promise<AskedAnswer>;
  /** Ends one party's sidecar and its broker connection. */
  stopParty(party: string): Promise<void>;
  close(): Promise<void>;
}

const exchangeParty = "exchange";

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
  for (const [party, steps] of Object.entries(options.steps)) {
    const environment = { cache_dir: join(folder, party), ...options.environments?.[party] };
    const broker = await connect(party);
    const invoker = createMemoryInvoker(
      steps.map((step) => ({
        name: `${party.toLowerCase()}-${step.name}`,
        topic: `${party.toLowerCase()}.${step.name}`,
        step,
      })),
      { clock: systemClock, environment },
    );
    brokers.set(party, broker);
    sidecars.set(
      party,
      await startSidecar({
        party,
        exchangeParty,
        instance: randomUUID(),
        broker,
        knowledge,
        invoker,
        clock: systemClock,
        log: createMemoryLog(),
      }),
    );
  }
  const api = apiOf(sidecars.get(exchangeParty), knowledge);

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
    api,
    ask: async (query, { timeoutMs = 20_000, signal = new AbortController().signal } = {}) =>
      asked(
        await runQuery({
          api,
          exchangeParty,
          query: completed(query),
          deadlineMs: Date.now() + timeoutMs,
          traceparent: "",
          signal,
          onProgress: () => {},
        }),
        api,
      ),
    stopParty,
    close: async () => {
      await Promise.all([...sidecars.keys()].map(stopParty));
      await knowledge.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function completed(query: Partial<Query> & Pick<Query, "sql" | "providers">): Query {
  return {
    id: randomUUID(),
    requestType: "sqlDataRequest",
    user: { id: "", name: "researcher@example.org" },
    dataSets: [],
    algorithm: undefined,
    options: {},
    ...query,
  };
}

async function asked(answer: Answer, api: SidecarApi): Promise<AskedAnswer> {
  const { status, problem, results } = answer;
  if (problem !== undefined) return { status, contentType: "application/problem+json", body: problem };
  const { format, bytes } = chooseFormat(answer, { accept: undefined, party: undefined }, api);
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes(new AbortController().signal)) pieces.push(piece);
  const names = results.flatMap(({ result }) => result.table?.transfer?.name ?? []);
  await Promise.all(names.map((name) => api.dropTransfer(name)));
  return { status, contentType: format.mediaType, body: JSON.parse(Buffer.concat(pieces).toString()) };
}

/** The sidecar's API without gRPC in between. */
function apiOf(sidecar: Sidecar | undefined, knowledge: Knowledge): SidecarApi {
  if (sidecar === undefined) throw new RangeError("a world needs the exchange party");
  return {
    request: (envelope, signal) => sidecar.request(envelope, signal),
    cancel: (queryId) => sidecar.cancel(queryId),
    readTransfer: (name, signal) => sidecar.transfers.read(name, signal),
    dropTransfer: (name) => sidecar.transfers.drop(name),
    get: (key) => knowledge.get(key),
    list: async (prefix) => (await knowledge.list(prefix)).entries,
    put: (key, value, ifRevision) => knowledge.put(key, value, ifRevision === undefined ? {} : { ifRevision }),
    isReady: async () => true,
    close: () => {},
  };
}
