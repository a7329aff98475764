/** Workers as ordinary Node processes, started ahead. Portable: needs nothing but Node. */
import type { Log } from "#ports/log";
import { readyInTime } from "./ready-in-time.ts";
import { spawnCommand } from "./spawn-command.ts";
import { spawnWorker } from "./spawned-worker.ts";
import type { WorkerBackend } from "./worker-backend.ts";
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
    start(stop) {
      return readyInTime(spawnWorker(folder.forWorker(), { ...options, command }), options.startMs, stop);
    },
    close: () => folder.remove(),
  };
}
