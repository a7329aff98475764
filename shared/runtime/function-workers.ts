/** The workers of a function's door, as its settings say. */
import type { Log } from "#ports/log";
import type { RuntimeConfig } from "./config.ts";
import { announce } from "./function-process.ts";
import { spawnBackend } from "./spawn-backend.ts";
import { WorkerPool } from "./worker-pool.ts";

export interface FunctionWorkers {
  readonly name: string;
  readonly workerFile: string;
  /** Of each worker, complete. */
  readonly environment: Readonly<Record<string, string>>;
  readonly config: RuntimeConfig;
  readonly log: Log;
}

/** Announces when the first worker is ready. */
export function functionWorkers({ name, workerFile, environment, config, log }: FunctionWorkers): WorkerPool {
  let announced = false;
  const { heapMb, memoryMb, workerStartMs: startMs } = config;
  return new WorkerPool({
    backend: spawnBackend({ workerFile, environment, heapMb, memoryMb, startMs, log }),
    ...config,
    log,
    onReady: () => {
      if (!announced) {
        announced = true;
        announce({ event: "ready", function: name });
      }
    },
  });
}
