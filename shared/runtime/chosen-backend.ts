/** Which of the two kinds of workers a function uses: forked ones where they are asked for and sound, else spawned ones. */

import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Log } from "#ports/log";
import { type ForkBackend, reasonOf } from "./fork-backend.ts";
import type { Worker, WorkerBackend } from "./worker-backend.ts";

export interface ChosenBackendOptions {
  readonly setting: "auto" | "fork" | "spawn";
  /** Each is made when it is first needed. @throws Error with why it can't be */
  readonly fork: () => ForkBackend;
  readonly spawn: () => WorkerBackend;
  readonly log: Log;
}

/** Ends of a worker that no step's own code should cause; several in a row speak against the fork server. */
const unsound = /signal SIG(SEGV|BUS|ILL|TRAP|SYS)/;

/** What a machine does that is too busy, and not for ever. */
const passing = /did not (become ready|connect|let the fork server fork)|by SIGKILL$/;

export function chosenBackend({ setting, fork, spawn, log }: ChosenBackendOptions): WorkerBackend {
  let forking: ForkBackend | undefined;
  let spawning: WorkerBackend | undefined;
  let failures = 0;
  let gaveUp = false;
  let tries = 0;
  let retry: NodeJS.Timeout | undefined;
  let isClosed = false;

  const spawned = (): WorkerBackend => {
    spawning ??= spawn();
    return spawning;
  };
  const useSpawn = (why: string, level: "info" | "warn" = "info"): void => {
    if (gaveUp) return;
    gaveUp = true;
    log.log(level, "workers are ordinary processes", { backend: "spawn", why });
  };
  const useSpawnFor = (reason: string, why: string, level: "info" | "warn"): void => {
    useSpawn(why, level);
    if (isClosed || tries === limits.forkRetriesMax || !passing.test(reason)) return;
    retry = setTimeout(
      () => {
        decided = decide();
      },
      limits.forkRetryFirstMs * 2 ** tries,
    ).unref();
    tries++;
  };
  const decide = async (): Promise<void> => {
    if (setting === "spawn") return useSpawn("worker_backend is spawn");
    try {
      forking ??= fork();
      const startedAt = performance.now();
      await forking.selfTest();
      const why = `the self-test passed in ${Math.round(performance.now() - startedAt)} ms`;
      const { rights } = forking;
      gaveUp = false;
      failures = 0;
      log.log("info", "workers are forked from a warm parent", { backend: "fork", why, node: process.version, rights });
    } catch (error) {
      const reason = reasonOf(error);
      useSpawnFor(reason, `forking is not sound here: ${reason}`, setting === "fork" ? "warn" : "info");
    }
  };
  const failed = (reason: string): void => {
    failures++;
    log.log("warn", "a forked worker failed", { reason, failures });
    if (failures !== limits.forkFailuresMax) return;
    useSpawnFor(reason, `forking failed ${failures} times in a row: ${reason}`, "warn");
  };
  const watched = (worker: Worker): Worker => ({
    id: worker.id,
    pid: worker.pid,
    gone: worker.gone,
    kill: () => worker.kill(),
    call: async (call, invocation) => {
      try {
        const outcome = await worker.call(call, invocation);
        failures = 0;
        return outcome;
      } catch (error) {
        if (error instanceof DynamosError && unsound.test(error.message)) failed(error.message);
        throw error;
      }
    },
  });

  let decided = decide();
  return {
    get name() {
      return gaveUp ? "spawn" : "fork";
    },
    async start(stop) {
      // While it is tried again, whoever waits is served.
      if (!gaveUp) await decided;
      if (gaveUp || forking === undefined) return spawned().start(stop);
      try {
        return watched(await forking.start(stop));
      } catch (error) {
        if (stop.aborted) throw error;
        failed(reasonOf(error));
        // Whoever waits is served meanwhile.
        return spawned().start(stop);
      }
    },
    async close() {
      isClosed = true;
      clearTimeout(retry);
      await decided;
      await Promise.all([forking?.close(), spawning?.close()]);
    },
  };
}
