/** Entry of a function that is an HTTP service of its own, behind the same door as the steps. */
import { type Environment, readRuntimeConfig } from "./config.ts";
import type { HttpFunction } from "./define-http-function.ts";
import { announce, exitOnError, runUntilStopped } from "./function-process.ts";
import { openHttpDoor } from "./http-door.ts";
import { jsonLog } from "./json-log.ts";

export function serveHttpFunction(definition: HttpFunction, environment: Environment): void {
  const log = jsonLog({ function: definition.name });
  start(definition, environment, log).catch(exitOnError(log));
}

async function start(definition: HttpFunction, environment: Environment, log = jsonLog()): Promise<void> {
  const config = readRuntimeConfig(environment);
  const started = await definition.start(environment);
  const isReady = started.isReady ?? (() => true);
  const door = await openHttpDoor({ ...config, listener: started.listener, isReady });
  const stopping = (ms: number) => started.stopping?.(ms);
  runUntilStopped({ name: definition.name, door, ...config, stopping, close: () => started.close(), log });
  announce({ event: "ready", function: definition.name });
}
