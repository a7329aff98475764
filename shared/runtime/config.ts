/** What an operator may choose about a function. A number that does not parse stops the start. */
import { limits } from "#domain/limits";
import { type Watchdog, watchdogOf } from "./watchdog.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface RuntimeConfig {
  /** 0: any free port; the door prints the one it got. */
  readonly port: number;
  readonly host: string;
  /** Workers that wait ready; `pool_size`. */
  readonly poolSize: number;
  /** Invocations at once; `concurrency`. */
  readonly concurrency: number;
  /** Callers that may wait for a worker; `callers_waiting`. */
  readonly callersWaiting: number;
  /** How long calls in flight may go on when it stops; `drain_ms`, else the watchdog's `write_timeout`. */
  readonly drainMs: number;
  /** That started this process, if one did. */
  readonly watchdog: Watchdog | undefined;
  /** Resident memory of one worker; `memory_mb`. */
  readonly memoryMb: number;
  /** JavaScript heap of one worker; `heap_mb`. */
  readonly heapMb: number;
  readonly workerStartMs: number;
  /** `worker_backend`: forked workers where they are sound, the same with a warning where they are not, or never. */
  readonly workerBackend: "auto" | "fork" | "spawn";
  /** `worker_network`: whether a worker may reach any network, where the system lets that be refused. Undefined: if its data is there. */
  readonly workerNetwork: boolean | undefined;
}

/** `http_port` goes before `port`, which of-watchdog reads too and hands on to its child. */
export function readRuntimeConfig(environment: Environment): RuntimeConfig {
  const number = (name: string, otherwise: number, min: number, max: number) =>
    wholeNumber(environment, name, { otherwise, min, max });
  const memoryMb = number("memory_mb", limits.workerMemoryMbDefault, 64, 1_048_576);
  const watchdog = watchdogOf(environment);
  return {
    watchdog,
    port: environment.http_port ? number("http_port", 3000, 0, 65_535) : number("port", 3000, 0, 65_535),
    host: environment.http_host || "127.0.0.1",
    poolSize: number("pool_size", limits.poolSizeDefault, 1, limits.poolSizeMax),
    concurrency: number("concurrency", limits.concurrencyDefault, 1, 1_024),
    callersWaiting: number("callers_waiting", limits.callersWaitingMax, 0, 10_000),
    drainMs: number("drain_ms", watchdog?.drainMs ?? limits.drainMsDefault, 0, 600_000),
    memoryMb,
    heapMb: number("heap_mb", Math.floor(memoryMb * limits.workerHeapShare), 16, memoryMb),
    workerStartMs: number("worker_start_ms", limits.workerStartMsMax, 100, 600_000),
    workerBackend: oneOf(environment, "worker_backend", ["auto", "fork", "spawn"]),
    workerNetwork: networks[oneOf(environment, "worker_network", ["auto", "none", "host"])],
  };
}

const networks = { auto: undefined, none: false, host: true } as const;

interface Range {
  readonly otherwise: number;
  readonly min: number;
  readonly max: number;
}

function wholeNumber(environment: Environment, name: string, { otherwise, min, max }: Range): number {
  const text = environment[name];
  if (text === undefined || text === "") {
    return otherwise;
  }
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw new RangeError(`environment variable ${name} must be a whole number from ${min} to ${max}`);
  }
  return value;
}

/** @param allowed the first is the default */
function oneOf<Word extends string>(environment: Environment, name: string, allowed: readonly [Word, ...Word[]]): Word {
  const value = environment[name] || allowed[0];
  const word = allowed.find((each) => each === value);
  if (word === undefined) throw new RangeError(`environment variable ${name} must be one of ${allowed.join(", ")}`);
  return word;
}
