/** For measuring alone: no worker is ready, each call starts a process, as a container for each task would be. */
import { join } from "node:path";
import { readRuntimeConfig } from "#runtime/config";
import type { Step } from "#runtime/define-step";
import { announce, exitOnError, runUntilStopped } from "#runtime/function-process";
import { openHttpDoor } from "#runtime/http-door";
import { jsonLog } from "#runtime/json-log";
import { spawnBackend } from "#runtime/spawn-backend";
import type { StepInvoker } from "#runtime/step-invoker";
import { stepListener } from "#runtime/step-listener";
import type { WorkerBackend } from "#runtime/worker-backend";
import { workerEnvironment } from "#runtime/worker-environment";

export function serve(step: Step, folder: string): void {
  const log = jsonLog({ function: step.name });
  start(step, folder).catch(exitOnError(log));
}

async function start(step: Step, folder: string): Promise<void> {
  const log = jsonLog({ function: step.name });
  const config = readRuntimeConfig(process.env);
  const { heapMb, memoryMb, workerStartMs: startMs, concurrency, callersWaiting } = config;
  const workerFile = join(folder, "worker.js");
  const environment = workerEnvironment(process.env);
  const invoker = coldInvoker(spawnBackend({ workerFile, environment, heapMb, memoryMb, startMs, log }));
  const loadJson = () => import("#runtime/json-codec");
  const listener = stepListener({
    step,
    invoker,
    requestsMax: concurrency + callersWaiting,
    loadJson,
    build: "",
    log,
  });
  const door = await openHttpDoor({ ...config, listener, isReady: () => true });
  runUntilStopped({ name: step.name, door, ...config, close: () => invoker.close(), log });
  announce({ event: "ready", function: step.name });
}

function coldInvoker(backend: WorkerBackend): StepInvoker {
  return {
    isReady: () => true,
    async invoke(call, invocation) {
      const worker = await backend.start(invocation.signal);
      try {
        return { outcome: await worker.call(call, invocation), worker: worker.id };
      } finally {
        worker.kill();
      }
    },
    close: () => backend.close(),
  };
}
