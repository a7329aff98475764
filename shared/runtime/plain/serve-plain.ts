/** Entry of a function that is a plain handler: each call in a worker that is used once. The handler is not in this process. */
import { type Environment, readRuntimeConfig } from "../config.ts";
import { exitOnError, runUntilStopped } from "../function-process.ts";
import { functionWorkers } from "../function-workers.ts";
import { openHttpDoor } from "../http-door.ts";
import { jsonLog } from "../json-log.ts";
import { plainListener } from "./plain-listener.ts";
import { readPlainSettings } from "./plain-settings.ts";

export interface PlainFunction {
  readonly name: string;
  readonly workerFile: string;
  readonly environment: Environment;
}

export function servePlain(definition: PlainFunction): void {
  const log = jsonLog({ function: definition.name });
  start(definition, log).catch(exitOnError(log));
}

async function start({ name, workerFile, environment }: PlainFunction, log = jsonLog()): Promise<void> {
  const config = readRuntimeConfig(environment);
  const settings = readPlainSettings(environment);
  const pool = functionWorkers({ name, workerFile, environment: given(environment), config, log });
  const requestsMax = config.concurrency + config.callersWaiting;
  const listener = plainListener({ invoker: pool, requestsMax, settings, log });
  const door = await openHttpDoor({ ...config, listener, isReady: () => pool.isReady() });
  runUntilStopped({ name, door, ...config, close: () => pool.close(), log });
}

/** All of the function's own: anybody's handler reads its settings there. */
function given(environment: Environment): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}
