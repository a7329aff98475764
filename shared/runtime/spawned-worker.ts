/** A worker as an ordinary process of its own, started by the door. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex, Readable } from "node:stream";
import type { Log } from "#ports/log";
import { FramedWorker } from "./framed-worker.ts";
import type { SpawnCommand } from "./spawn-command.ts";
import type { ProcessEnd } from "./worker-end.ts";

export interface SpawnOptions {
  readonly command: SpawnCommand;
  readonly workerFile: string;
  /** Complete: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  readonly log: Log;
}

/** @param folder its own, removed after its end */
export function spawnWorker(folder: string, options: SpawnOptions): FramedWorker {
  const child = spawn(options.command.file, [...options.command.arguments, options.workerFile], {
    cwd: folder,
    env: { ...options.environment, TMPDIR: folder, HOME: folder },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    // A group of its own, so that what a step starts is killed with it.
    detached: true,
  });
  return new FramedWorker({
    pid: child.pid ?? 0,
    door: child.stdio[3] as Duplex,
    outputs: [
      [child.stdout as Readable, "stdout"],
      [child.stderr as Readable, "stderr"],
    ],
    ended: endOf(child),
    folder,
    memoryMb: options.memoryMb,
    log: options.log,
  });
}

export function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
    child.once("error", () => resolve({ exitCode: null, signal: null }));
  });
}
