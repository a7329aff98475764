/** Entry of a function whose step stays in the door's process. */
import { buildDigest } from "./build-digest.ts";
import { type Environment, readRuntimeConfig } from "./config.ts";
import type { Step } from "./define-step.ts";
import { announce, exitOnError, runUntilStopped } from "./function-process.ts";
import { openHttpDoor } from "./http-door.ts";
import { inProcessInvoker } from "./in-process-invoker.ts";
import { jsonLog } from "./json-log.ts";
import type { JsonCodec } from "./step-call.ts";
import { stepListener } from "./step-listener.ts";

export interface SharedFunction {
  readonly step: Step;
  readonly loadJson: () => Promise<JsonCodec>;
  readonly environment: Environment;
}

export function serveShared(definition: SharedFunction): void {
  const log = jsonLog({ function: definition.step.name });
  start(definition, log).catch(exitOnError(log));
}

async function start({ step, loadJson, environment }: SharedFunction, log = jsonLog()): Promise<void> {
  const config = readRuntimeConfig(environment);
  const invoker = await inProcessInvoker(step, environment, log);
  const requestsMax = config.concurrency + config.callersWaiting;
  const listener = stepListener({ step, invoker, requestsMax, loadJson, build: buildDigest([process.argv[1]]), log });
  const door = await openHttpDoor({ ...config, listener, isReady: () => invoker.isReady() });
  runUntilStopped({ name: step.name, door, ...config, close: () => invoker.close(), log });
  announce({ event: "ready", function: step.name });
}
