/** Entry of a function whose step runs in workers. Neither the step nor the contracts' codecs are in this process. */
import { buildDigest } from "./build-digest.ts";
import type { StepDescription } from "./check-envelope.ts";
import { type Environment, readRuntimeConfig } from "./config.ts";
import { announce, exitOnError, runUntilStopped } from "./function-process.ts";
import { openHttpDoor } from "./http-door.ts";
import { jsonLog } from "./json-log.ts";
import { spawnBackend } from "./spawn-backend.ts";
import type { JsonCodec } from "./step-call.ts";
import { stepListener } from "./step-listener.ts";
import { workerEnvironment } from "./worker-environment.ts";
import { WorkerPool } from "./worker-pool.ts";

export interface SingleUseFunction {
  readonly step: StepDescription;
  readonly workerFile: string;
  readonly loadJson: () => Promise<JsonCodec>;
  readonly environment: Environment;
}

export function serveSingleUse(definition: SingleUseFunction): void {
  const log = jsonLog({ function: definition.step.name });
  start(definition, log).catch(exitOnError(log));
}

async function start({ step, workerFile, loadJson, environment }: SingleUseFunction, log = jsonLog()): Promise<void> {
  const config = readRuntimeConfig(environment);
  let announced = false;
  const pool = new WorkerPool({
    backend: spawnBackend({
      workerFile,
      environment: workerEnvironment(environment),
      heapMb: config.heapMb,
      memoryMb: config.memoryMb,
      startMs: config.workerStartMs,
      log,
    }),
    ...config,
    log,
    onReady: () => {
      if (!announced) {
        announced = true;
        announce({ event: "ready", function: step.name });
      }
    },
  });
  const requestsMax = config.concurrency + config.callersWaiting;
  const listener = stepListener({
    step,
    invoker: pool,
    requestsMax,
    loadJson,
    build: buildDigest([process.argv[1], workerFile]),
    log,
  });
  const door = await openHttpDoor({ ...config, listener, isReady: () => pool.isReady() });
  runUntilStopped({ name: step.name, door, drainMs: config.drainMs, close: () => pool.close(), log });
}
