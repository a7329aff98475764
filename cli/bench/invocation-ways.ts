/** Five ways to one invocation, from the same bundle of the same step. */
import { spawn } from "node:child_process";
import { setMaxListeners } from "node:events";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { build } from "esbuild";
import { limits } from "#domain/limits";
import { type ForkBackend, forkBackend } from "#runtime/fork-backend";
import { FrameReader, frameKinds, writeFrame } from "#runtime/frame";
import { spawnBackend } from "#runtime/spawn-backend";
import { noChunks } from "#runtime/table-flow";
import type { WorkerBackend } from "#runtime/worker-backend";
import { WorkerPool } from "#runtime/worker-pool";
import { bundleFunction } from "../build/bundle-function.ts";

export interface InvocationWay {
  readonly name: string;
  invoke(envelope: Uint8Array): Promise<Uint8Array>;
  /** Processes beside this one whose time, and whose dead children's, is this way's. */
  pids(): readonly number[];
  close(): Promise<void>;
}

const never = new AbortController().signal;
// Every call in hand listens to it.
setMaxListeners(0, never);
const log = { log: () => {}, with: () => log };
const callOf = (envelope: Uint8Array) => ({ envelope, chunks: noChunks(), take: async () => {} });
const soon = () => ({ deadlineMs: Date.now() + 60_000, signal: never });

/** @param folder for the bundle */
export async function invocationWays(folder: string, poolSize: number): Promise<InvocationWay[]> {
  await bundleFunction(join(import.meta.dirname, "mean-step.ts"), folder);
  const workerFile = join(folder, "worker.js");
  const environment = { PATH: process.env.PATH ?? "" };
  const options = { workerFile, environment, heapMb: 256, memoryMb: 1_024, startMs: 30_000, log };
  const fork = () => forkBackend({ ...options, parentEnvironment: environment, network: false });
  const parentOf = (backend: ForkBackend) => () => [backend.parentPid];
  const [onDemand, pooled] = [fork(), fork()];
  for (const backend of [onDemand, pooled]) await backend.selfTest();
  return [
    await reused(folder),
    cold("spawn, cold", spawnBackend(options)),
    pool("spawn, pool", spawnBackend(options), poolSize),
    cold("fork, on demand", onDemand, parentOf(onDemand)),
    pool("fork, pool", pooled, poolSize, parentOf(pooled)),
  ];
}

function cold(name: string, backend: WorkerBackend, pids: () => readonly number[] = () => []): InvocationWay {
  const ends = new Set<Promise<void>>();
  return {
    name,
    pids,
    async invoke(envelope) {
      const worker = await backend.start(never);
      try {
        return await worker.call(callOf(envelope), soon());
      } finally {
        setTimeout(() => worker.kill(), limits.workerRefillMs);
        ends.add(worker.gone);
        void worker.gone.then(() => ends.delete(worker.gone));
      }
    },
    close: async () => {
      await Promise.all(ends);
      await backend.close();
    },
  };
}

function pool(name: string, backend: WorkerBackend, poolSize: number, pids: () => readonly number[] = () => []) {
  const workers = new WorkerPool({ backend, poolSize, concurrency: poolSize, callersWaiting: 1_000, log });
  const invoke = async (envelope: Uint8Array) => (await workers.invoke(callOf(envelope), soon())).outcome;
  return { name, pids, invoke, close: () => workers.close() };
}

async function reused(folder: string): Promise<InvocationWay> {
  const outfile = join(folder, "reused.js");
  const entryPoints = [join(import.meta.dirname, "reused-worker.ts")];
  await build({ entryPoints, outfile, bundle: true, platform: "node", target: "node18", format: "cjs" });
  const child = spawn(process.execPath, [outfile], { stdio: ["ignore", "ignore", "inherit", "pipe"], env: {} });
  const door = child.stdio[3] as Duplex;
  const reader = new FrameReader(limits.messageBytesMax);
  const waiting: ((reply: Uint8Array) => void)[] = [];
  door.on("data", (bytes) => {
    for (const { body } of reader.push(bytes)) waiting.shift()?.(body);
  });
  return {
    name: "reused",
    pids: () => [child.pid ?? 0],
    invoke: (envelope) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        void writeFrame(door, frameKinds.call, envelope);
      }),
    close: async () => void child.kill("SIGKILL"),
  };
}
