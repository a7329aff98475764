/** What a function's process knows of the of-watchdog in front of it, from the environment that it inherits. */
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { durationMs } from "#domain/duration";

export interface Watchdog {
  /**
   * How long it goes on handing out calls after a SIGTERM, which it passes on at once:
   * `healthcheck_interval`, in which the gateway is to notice that it is leaving.
   */
  readonly settleMs: number;
  /** How long it then waits for calls in flight: `write_timeout`. */
  readonly drainMs: number;
}

const writeTimeoutDefault = "30s";

/**
 * @returns undefined where none is in front: it hands calls on to `upstream_url` and does not start without
 * @throws RangeError for a setting that is no duration
 */
export function watchdogOf(environment: Readonly<Record<string, string | undefined>>): Watchdog | undefined {
  if (!environment.upstream_url) return undefined;
  const drainMs = named("write_timeout", environment.write_timeout || writeTimeoutDefault);
  const interval = environment.healthcheck_interval;
  return { settleMs: interval ? named("healthcheck_interval", interval) : drainMs, drainMs };
}

/** Its lock file is there from its start until it is told to stop. */
export function watchdogStays(): boolean {
  return existsSync(join(tmpdir(), ".lock"));
}

function named(name: string, text: string): number {
  try {
    return durationMs(text);
  } catch {
    throw new RangeError(`environment variable ${name} must be a duration like 30s or 1m30s`);
  }
}
