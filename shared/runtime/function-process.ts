/** What every function's process does around its door: announce, drain on a signal, exit. */

import { version } from "#domain/version";
import type { Log } from "#ports/log";
import type { HttpDoor } from "./http-door.ts";

export interface FunctionProcess {
  readonly name: string;
  readonly door: HttpDoor;
  readonly drainMs: number;
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

/** Exits 0 when all calls ended by themselves, 1 when some were cut. A parent that goes away counts as a signal. */
export function runUntilStopped(running: FunctionProcess): void {
  let stopping = false;
  const stop = async (reason: string): Promise<void> => {
    if (stopping) {
      return;
    }
    stopping = true;
    running.log.log("info", "stopping", { reason });
    running.stopping?.(running.drainMs);
    const drained = await running.door.drain(running.drainMs);
    await running.close();
    process.exit(drained ? 0 : 1);
  };
  process.on("SIGTERM", () => void stop("SIGTERM"));
  process.on("SIGINT", () => void stop("SIGINT"));
  process.on("disconnect", () => void stop("the parent process went away"));
  const { name, door } = running;
  announce({ event: "listening", function: name, version, port: door.port, pid: process.pid });
}

/** For the start of a function: what goes wrong there is said once, and the process ends with 1. */
export function exitOnError(log: Log): (error: unknown) => never {
  return (error) => {
    log.log("error", "the function did not start", { reason: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  };
}
