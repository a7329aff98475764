/** A watchdog as the image starts it, in front of a function's bundle. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../free-port.ts";

export interface StartedWatchdog {
  readonly url: string;
  readonly child: ChildProcess;
  /** Of the watchdog; undefined: ended by a signal. */
  readonly exited: Promise<number | undefined>;
  /** Statuses of `/_/ready` from the start on, until it was 200. */
  readonly statuses: readonly number[];
  readonly temporaryFolder: string;
  stop(): Promise<void>;
}

const readyMsMax = 15_000;
const pollMs = 10;

/**
 * @param command the watchdog's program and arguments
 * @param folder of the bundle
 * @param environment over that of the template's Dockerfile
 */
export async function startWatchdog(
  command: readonly string[],
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<StartedWatchdog> {
  const temporaryFolder = await mkdtemp(join(tmpdir(), "dynamos-watchdog-"));
  const [port, functionPort] = [await freePort(), await freePort()];
  const [file = "", ...rest] = command;
  const child = spawn(file, rest, {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      TMPDIR: temporaryFolder,
      mode: "http",
      fprocess: `${process.execPath} index.js`,
      upstream_url: `http://127.0.0.1:${functionPort}`,
      http_port: String(functionPort),
      port: String(port),
      ready_path: "/_/ready",
      healthcheck_interval: "1s",
      exec_timeout: "5s",
      read_timeout: "10s",
      write_timeout: "10s",
      pool_size: "1",
      ...environment,
    },
    stdio: "ignore",
    // A group of its own, so that nothing of it stays when a test fails.
    detached: true,
  });
  const exited = new Promise<number | undefined>((done) => child.once("exit", (code) => done(code ?? undefined)));
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    child,
    exited,
    statuses: await untilReady(`${url}/_/ready`),
    temporaryFolder,
    stop: async () => {
      killGroup(child);
      await exited;
      await rm(temporaryFolder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function untilReady(url: string): Promise<number[]> {
  const statuses: number[] = [];
  const until = Date.now() + readyMsMax;
  while (Date.now() < until && statuses.at(-1) !== 200) {
    const status = await fetch(url).then(
      (response) => response.status,
      () => undefined,
    );
    if (status !== undefined) statuses.push(status);
    await new Promise((done) => setTimeout(done, pollMs));
  }
  return statuses;
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}
