/** Entry of a function whose step runs in workers. Neither the step nor the contracts' codecs are in this process. */

import { readdirSync } from "node:fs";
import { buildDigest } from "./build-digest.ts";
import type { StepDescription } from "./check-envelope.ts";
import { type Environment, readRuntimeConfig } from "./config.ts";
import type { Step } from "./define-step.ts";
import { exitOnError, runUntilStopped } from "./function-process.ts";
import { functionWorkers } from "./function-workers.ts";
import { fuseSetting } from "./fuse-setting.ts";
import { openHttpDoor } from "./http-door.ts";
import { jsonLog } from "./json-log.ts";
import type { JsonCodec } from "./step-call.ts";
import { stepListener } from "./step-listener.ts";
import { workerEnvironment } from "./worker-environment.ts";

export interface SingleUseFunction {
  readonly step: StepDescription & Pick<Step, "networkFiles">;
  readonly workerFile: string;
  /** That holds further steps, which the setting `fuse` may name. */
  readonly fused?: { readonly workerFile: string; readonly steps: readonly string[] };
  readonly loadJson: () => Promise<JsonCodec>;
  readonly environment: Environment;
}

export function serveSingleUse(definition: SingleUseFunction): void {
  const log = jsonLog({ function: definition.step.name });
  start(definition, log).catch(exitOnError(log));
}

async function start(definition: SingleUseFunction, log = jsonLog()): Promise<void> {
  const { step, fused, loadJson, environment } = definition;
  const config = readRuntimeConfig(environment);
  const isFused = fuseSetting(environment.fuse, fused?.steps ?? []).length > 0;
  const workerFile = isFused && fused !== undefined ? fused.workerFile : definition.workerFile;
  const pool = functionWorkers({
    name: step.name,
    workerFile,
    environment: workerEnvironment(environment),
    forkable: { needsNetwork: hasFile(environment.data_dir, step.networkFiles) },
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

function hasFile(folder: string | undefined, end: string | undefined): boolean {
  if (!folder || end === undefined) return false;
  try {
    return readdirSync(folder).some((name) => name.endsWith(end));
  } catch {
    // Whoever asks for the data is told so.
    return false;
  }
}
