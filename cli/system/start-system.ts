/** The whole system on one machine: gateway and functions, broker, knowledge base, and a sidecar for each party. */
import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { connectAmqp } from "#adapters/amqp/broker";
import { createMemoryExchange } from "#adapters/memory/broker";
import { createMemoryKnowledge } from "#adapters/memory/knowledge";
import { createOpenfaasInvoker } from "#adapters/openfaas/invoker";
import { systemClock } from "#adapters/system/clock";
import type { Broker } from "#ports/broker";
import type { Knowledge } from "#ports/knowledge";
import type { Log } from "#ports/log";
import { type GrpcServer, serveSidecar } from "#sidecar/grpc-server";
import { type Sidecar, startSidecar } from "#sidecar/start-sidecar";
import { type Gateway, startGateway } from "../gateway/start-gateway.ts";
import type { Stack, StackFunction } from "../stack/read-stack.ts";
import { linkDataFolders } from "./data-folders.ts";
import { type SeedDocument, seed } from "./seed.ts";
import { stoppableRequests } from "./stoppable-requests.ts";
import { makeTemporaryFolder } from "./temporary-folder.ts";

export interface SystemOptions {
  readonly stack: Stack;
  /** Holds the functions' bundles. */
  readonly buildDir: string;
  /** 0: a free one. */
  readonly port: number;
  /** `memory`, or the URL of a RabbitMQ. */
  readonly broker: string;
  readonly documents: readonly SeedDocument[];
  /** Folder with the parties' data files. */
  readonly dataDir: string;
  readonly log: Log;
  /** Called at each stage, for people who wait. */
  readonly onProgress: (stage: string) => void;
}

export interface System {
  readonly url: string;
  readonly gateway: Gateway;
  readonly knowledge: Knowledge;
  /** By party. */
  readonly sidecars: ReadonlyMap<string, Sidecar>;
  /** Stops one party's sidecar, as if its machine were gone. */
  stopSidecar(party: string): Promise<void>;
  /** Ends every process and removes every file of this run. */
  stop(): Promise<void>;
}

export const exchangeParty = "exchange";

export async function startSystem(options: SystemOptions): Promise<System> {
  const closers: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) {
      await close().catch((error: unknown) => {
        options.log.log("warn", "a part did not stop cleanly", { reason: error instanceof Error ? error.message : "" });
      });
    }
  };
  try {
    return await startParts(options, closers, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(
  options: SystemOptions,
  closers: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<System> {
  const { stack, log, onProgress } = options;
  const parties = partiesOf(stack);
  const { path: folder, remove } = await makeTemporaryFolder("run");
  closers.push(remove);
  await mkdir(join(folder, "tmp"));
  await linkDataFolders(options.dataDir, join(folder, "data"), parties);

  const socket = `unix://${join(folder, "sidecar.sock")}`;
  onProgress(`starting ${stack.functions.length} functions`);
  const gateway = await startGateway({
    stack,
    buildDir: options.buildDir,
    port: options.port,
    log,
    environmentFor: (fn) => environmentOf(fn, folder, socket),
  });
  closers.push(() => gateway.stop());

  const knowledge = createMemoryKnowledge({ clock: systemClock });
  closers.push(() => knowledge.close());
  await seed(knowledge, options.documents);

  onProgress(`starting the sidecars of ${parties.join(", ")}`);
  const connect = brokerConnector(options);
  const sidecars = new Map<string, Sidecar>();
  await Promise.all(
    parties.map(async (party) => {
      const broker = await connect(party);
      closers.push(() => broker.close());
      const invoker = createOpenfaasInvoker({ gatewayUrl: gateway.url, party, clock: systemClock });
      closers.push(() => invoker.close());
      const instance = randomUUID();
      const sidecar = await startSidecar({
        party,
        exchangeParty,
        instance,
        broker,
        knowledge,
        invoker,
        clock: systemClock,
        log,
      });
      sidecars.set(party, sidecar);
    }),
  );
  const exchange = sidecars.get(exchangeParty);
  if (exchange === undefined) throw new RangeError(`stack.yml has no function of the party ${exchangeParty}`);
  const requests = stoppableRequests(exchange);
  const grpc: GrpcServer = await serveSidecar(requests.sidecar, socket);
  closers.push(() => grpc.stop());
  closers.push(async () => {
    await requests.end();
    // Together: with its query cancelled a hop ends, and with its hop a function.
    await Promise.all([gateway.stop(), ...[...sidecars.values()].map((sidecar) => sidecar.stop())]);
  });
  return {
    url: gateway.url,
    gateway,
    knowledge,
    sidecars,
    stopSidecar: async (party) => {
      const sidecar = sidecars.get(party);
      sidecars.delete(party);
      await sidecar?.stop();
    },
    stop,
  };
}

function brokerConnector({ broker: url, log }: SystemOptions): (party: string) => Promise<Broker> {
  if (url !== "memory") {
    return (party) => connectAmqp({ url, party, log });
  }
  const hub = createMemoryExchange();
  return async (party) => hub.connect({ party });
}

function partiesOf(stack: Stack): string[] {
  return [...new Set(stack.functions.map(partyOf))].sort();
}

function partyOf(fn: StackFunction): string {
  return fn.annotations["com.dynamos.party"] ?? exchangeParty;
}

function environmentOf(fn: StackFunction, folder: string, socket: string): Record<string, string> {
  const party = partyOf(fn);
  // Whatever a function leaves there goes with this run.
  const temporary = { TMPDIR: join(folder, "tmp") };
  return party === exchangeParty
    ? { ...temporary, sidecar_address: socket }
    : { ...temporary, data_dir: join(folder, "data", party), cache_dir: join(folder, "cache", party) };
}
