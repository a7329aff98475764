/** The side of a virtual user in its thread: imported after the script's options are known, it runs what it is told. */
import { format } from "node:util";
import { parentPort, workerData } from "node:worker_threads";
import { openBridge, sample, setRunning } from "./k6/bridge.ts";
import type { FromUser, Iteration, UserData } from "./messages.ts";

const { id, environment, signal, answers } = workerData as UserData;
const post = (message: FromUser) => parentPort?.postMessage(message);

Object.assign(globalThis, { __ENV: environment, __VU: id, __ITER: 0 });
for (const level of ["log", "info", "warn", "error"] as const) {
  console[level] = (...what: unknown[]) => post({ kind: "log", level, text: format(...what) });
}
openBridge({ id, post, signal, answers });

/** @param script whose exports these are */
export function serve(script: Readonly<Record<string, unknown>>): void {
  const functions = Object.keys(script).filter((name) => typeof script[name] === "function");
  post({ kind: "ready", options: script.options ?? {}, exports: functions });
  parentPort?.on("message", async (iteration: Iteration) => {
    const startedAtMs = performance.now();
    setRunning({ ...iteration, groups: [] });
    let end: FromUser;
    try {
      const run = script[iteration.exec] as (data: unknown) => unknown;
      end = { kind: "done", result: await run(iteration.data) };
    } catch (error) {
      end = { kind: "done", result: undefined, error: error instanceof Error ? error.message : String(error) };
    }
    if (iteration.scenario.name !== "") sample("iteration_duration", performance.now() - startedAtMs);
    setRunning(undefined);
    post(end);
  });
}
