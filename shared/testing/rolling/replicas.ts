/** The sidecars of one party: processes that are replaced one at a time, as a Deployment with `maxUnavailable: 1` does it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { freePort } from "../free-port.ts";
import type { Service } from "./service.ts";

export interface ReplicasOptions {
  readonly party: string;
  /** The `dynamos` command as one file, as its image has it. */
  readonly command: string;
  /** Of `dynamos sidecar`, but for the party, where it listens and how long it drains. */
  readonly options: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Whom the functions beside them call; absent: nobody calls this party's. */
  readonly service?: Service;
}

export interface Replicas {
  /** SIGTERM to one, its successor, then the next. @returns how long each took to end, in milliseconds */
  roll(): Promise<number[]>;
  /** @returns the exit codes of all that have run */
  stop(): Promise<(number | null)[]>;
}

interface Replica {
  readonly child: ChildProcess;
  readonly port: number;
}

const count = 2;
/** Enough for whatever runs; a sidecar that still has something in hand then counts as hung. */
const drainMs = 60_000;
const readyMsMax = 60_000;
/** Until kube-proxy has heard that an endpoint is gone. */
const unlistedAfterMs = 100;

export async function startReplicas(options: ReplicasOptions): Promise<Replicas> {
  const { service } = options;
  const running: Replica[] = [];
  const codes: (number | null)[] = [];

  async function start(): Promise<void> {
    const port = await freePort();
    const child = launch(options, port);
    running.push({ child, port });
    await untilReady(child, options.party);
    service?.add(port);
  }

  /** @returns how long it took */
  async function end({ child, port }: Replica): Promise<number> {
    const startedAt = performance.now();
    const ended = child.exitCode === null ? once(child, "exit") : Promise.resolve();
    child.kill("SIGTERM");
    await wait(unlistedAfterMs);
    service?.remove(port);
    await ended;
    codes.push(child.exitCode);
    return Math.round(performance.now() - startedAt);
  }

  async function stop(): Promise<(number | null)[]> {
    await Promise.all(running.splice(0).map(end));
    return codes;
  }

  try {
    // One after the other: the first makes the key of the party's record.
    for (let i = 0; i < count; i++) await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    roll: async () => {
      const took: number[] = [];
      for (let i = 0; i < count; i++) {
        const old = running.shift();
        if (old === undefined) break;
        const ended = end(old);
        await start();
        took.push(await ended);
      }
      return took;
    },
    stop,
  };
}

function launch({ party, command, options, environment }: ReplicasOptions, port: number): ChildProcess {
  const words = ["--party", party, "--listen", `127.0.0.1:${port}`, "--drain", String(drainMs)];
  // Over the channel it notices that this process is gone.
  const stdio = ["ignore", "pipe", "inherit", "ipc"] as const;
  return spawn(process.execPath, [command, "sidecar", ...words, ...options], { env: environment, stdio: [...stdio] });
}

async function untilReady(child: ChildProcess, party: string): Promise<void> {
  const late = setTimeout(() => child.kill("SIGKILL"), readyMsMax);
  const line = once(createInterface({ input: child.stdout as Readable }), "line");
  const ended = once(child, "exit").then(([code, signal]) => {
    throw new Error(`a sidecar of ${party} ended with ${signal ?? code} before it was ready`);
  });
  ended.catch(() => {});
  await Promise.race([line, ended]);
  clearTimeout(late);
}
