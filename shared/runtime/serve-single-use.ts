/** Entry of a function whose step runs in workers. Neither the step nor the contracts' codecs are in this process. */
import { buildDigest } from "./build-digest.ts";
import type { StepDescription } from "./check-envelope.ts";
import { type Environment, readRuntimeConfig } from "./config.ts";
import { exitOnError, runUntilStopped } from "./function-process.ts";
import { functionWorkers } from "./function-workers.ts";
import { openHttpDoor } from "./http-door.ts";
import { jsonLog } from "./json-log.ts";
import type { JsonCodec } from "./step-call.ts";
import { stepListener } from "./step-listener.ts";
import { workerEnvironment } from "./worker-environment.ts";

export interface SingleUseFunction {
  readonly step: StepDescription & { readonly workers?: "spawn" };
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
  const pool = functionWorkers({
    name: step.name,
    workerFile,
    environment: workerEnvironment(environment),
    forkable: { prefersSpawn: step.workers === "spawn" },
    config,
    log,
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
  runUntilStopped({ name: step.name, door, ...config, close: () => pool.close(), log });
}
