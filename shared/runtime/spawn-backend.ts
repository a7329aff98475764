/** Workers as ordinary Node processes, started ahead. Portable: needs nothing but Node. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { Log } from "#ports/log";
import { spawnCommand } from "./spawn-command.ts";
import { SpawnedWorker } from "./spawned-worker.ts";
import type { Worker, WorkerBackend } from "./worker-backend.ts";
import { makeDoorFolder } from "./worker-folder.ts";

export interface SpawnBackendOptions {
  readonly workerFile: string;
  /** Of the worker, complete. */
  readonly environment: Readonly<Record<string, string>>;
  readonly heapMb: number;
  readonly memoryMb: number;
  readonly startMs: number;
  readonly log: Log;
}

export function spawnBackend(options: SpawnBackendOptions): WorkerBackend {
  const command = spawnCommand(options.heapMb);
  const folder = makeDoorFolder();
  if (!command.diesWithDoor) {
    options.log.log("warn", "setpriv is missing: a busy worker outlives a door that is killed");
  }
  return {
    name: "spawn",
    async start(stop) {
      const worker = new SpawnedWorker(folder.forWorker(), { ...options, command });
      const kill = () => worker.kill();
      stop.addEventListener("abort", kill, { once: true });
      await readyInTime(worker, options.startMs).finally(() => stop.removeEventListener("abort", kill));
      return worker;
    },
    close: () => folder.remove(),
  };
}

async function readyInTime(worker: Worker & { readonly ready: Promise<void> }, startMs: number): Promise<void> {
  const message = `a worker did not become ready within ${startMs} ms`;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), startMs);
  });
  try {
    await Promise.race([worker.ready, late]);
  } catch (cause) {
    worker.kill();
    await worker.gone;
    throw new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, "a worker did not start", { cause });
  } finally {
    clearTimeout(timer);
  }
}
