/** The workers of a function's door, as its settings say. */
import type { Log } from "#ports/log";
import { chosenBackend } from "./chosen-backend.ts";
import type { RuntimeConfig } from "./config.ts";
import { forkBackend } from "./fork-backend.ts";
import { announce } from "./function-process.ts";
import { spawnBackend } from "./spawn-backend.ts";
import { workerEnvironment } from "./worker-environment.ts";
import { WorkerPool } from "./worker-pool.ts";

export interface FunctionWorkers {
  readonly name: string;
  readonly workerFile: string;
  /** Of each worker, complete. */
  readonly environment: Readonly<Record<string, string>>;
  /** That the workers may be forked: the worker's file can be a fork server. Absent: they are spawned. */
  readonly forkable?: { readonly needsNetwork: boolean };
  readonly config: RuntimeConfig;
  readonly log: Log;
}

/** Announces when the first worker is ready. */
export function functionWorkers({ name, workerFile, environment, forkable, config, log }: FunctionWorkers): WorkerPool {
  let announced = false;
  const { heapMb, memoryMb, workerStartMs: startMs, workerNetwork } = config;
  const options = { workerFile, environment, heapMb, memoryMb, startMs, log };
  const backend =
    forkable === undefined
      ? spawnBackend(options)
      : chosenBackend({
          setting: config.workerBackend,
          fork: () =>
            forkBackend({
              ...options,
              parentEnvironment: workerEnvironment({ ...environment, worker_environment: undefined }),
              network: workerNetwork ?? forkable.needsNetwork,
            }),
          spawn: () => spawnBackend(options),
          log,
        });
  return new WorkerPool({
    backend,
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
