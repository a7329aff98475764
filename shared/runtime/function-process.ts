/** What every function's process does around its door: announce, drain on a signal, exit. */

import { version } from "#domain/version";
import type { Log } from "#ports/log";
import type { HttpDoor } from "./http-door.ts";
import { type Watchdog, watchdogStays } from "./watchdog.ts";

export interface FunctionProcess {
  readonly name: string;
  readonly door: HttpDoor;
  readonly drainMs: number;
  readonly watchdog: Watchdog | undefined;
  /** When the drain begins. */
  readonly stopping?: (drainMs: number) => void;
  /** After the calls in flight have ended. */
  readonly close: () => Promise<void>;
  readonly log: Log;
}

/**
 * Prints one JSON line for whoever started the process, and sends it over IPC where there is
 * a channel: `{"event":"listening","function":…,"version":…,"port":…,"pid":…}`. Later `{"event":"ready"}`.
 */
export function announce(event: Readonly<Record<string, string | number>>): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
  if (process.connected) {
    process.send?.(event, undefined, undefined, () => {});
  }
}

/**
 * Exits 0 when all calls ended by themselves, 1 when some were cut. A parent that goes away counts as a signal.
 * A watchdog notices the end of its child only when it is not 0: where it stays, and where nobody asked for the end, it is 1.
 */
export function runUntilStopped(running: FunctionProcess): void {
  let stopping = false;
  const stop = async (reason: string): Promise<void> => {
    if (stopping) {
      return;
    }
    stopping = true;
    running.log.log("info", "stopping", { reason });
    // Behind a watchdog the same signal came to both, and it hands out calls until the gateway knows.
    if (running.watchdog !== undefined) await after(running.watchdog.settleMs + settleMarginMs);
    running.stopping?.(running.drainMs);
    const drained = await running.door.drain(running.drainMs);
    await running.close();
    process.exit(drained && !(running.watchdog !== undefined && watchdogStays()) ? 0 : 1);
  };
  process.on("SIGTERM", () => void stop("SIGTERM"));
  process.on("SIGINT", () => void stop("SIGINT"));
  process.on("disconnect", () => void stop("the parent process went away"));
  process.on("exit", (code) => {
    if (!stopping && code === 0) process.exitCode = 1;
  });
  const { name, door } = running;
  announce({ event: "listening", function: name, version, port: door.port, pid: process.pid });
}

/** So that its door closes after the watchdog's, not before. */
const settleMarginMs = 250;

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** For the start of a function: what goes wrong there is said once, and the process ends with 1. */
export function exitOnError(log: Log): (error: unknown) => never {
  return (error) => {
    log.log("error", "the function did not start", { reason: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  };
}
