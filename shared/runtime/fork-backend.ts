/** Workers forked from a warm parent: no start of Node, no load of code. Linux only; whether it is sound here, a self-test says. */

import { dirname, join } from "node:path";
import { limits } from "#domain/limits";
import { ForkDoor } from "./fork-door.ts";
import { ForkParent, killProcess } from "./fork-parent.ts";
import { orders, setupBytes } from "./fork-protocol.ts";
import { rightNames } from "./fork-rights.ts";
import { FramedWorker } from "./framed-worker.ts";
import { isReadable } from "./is-readable.ts";
import { readyInTime } from "./ready-in-time.ts";
import type { SpawnBackendOptions } from "./spawn-backend.ts";
import { spawnCommand } from "./spawn-command.ts";
import type { WorkerBackend } from "./worker-backend.ts";
import { type DoorFolder, makeDoorFolder } from "./worker-folder.ts";

export interface ForkBackendOptions extends SpawnBackendOptions {
  /** What the parent gets of `environment`: nothing that it could keep for a query's process. */
  readonly parentEnvironment: Readonly<Record<string, string>>;
  /** Whether children may reach any. */
  readonly network: boolean;
  readonly forksPerParentMax?: number;
}

export interface ForkBackend extends WorkerBackend {
  /** @throws DynamosError FUNCTION_UNAVAILABLE with the reason as its cause, when forking is not sound here */
  selfTest(): Promise<void>;
  /** What children give up, as the self-test found it. */
  readonly rights: string;
  /** Of the fork server in use; 0: none yet. */
  readonly parentPid: number;
}

export function forkBackend(options: ForkBackendOptions): ForkBackend {
  const folder = makeDoorFolder();
  const door = openDoor(folder);
  const command = spawnCommand(options.heapMb);
  const nativeFile = join(dirname(options.workerFile), "koffi.node");
  const max = options.forksPerParentMax ?? limits.forksPerParentMax;
  const parents = new Set<ForkParent>();
  let current: ForkParent | undefined;
  let next: Promise<ForkParent> | undefined;

  let rights: readonly string[] = rightNames.filter((name) => name !== "network" || !options.network);
  const { data_dir = "" } = options.environment;
  const mustRead = (kind: string) => (kind === orders.selfTest && isReadable(data_dir) ? data_dir : undefined);

  const startParent = (): Promise<ForkParent> => {
    const { workerFile, parentEnvironment, log } = options;
    const own = { folder: folder.forWorker(), doorPath: door.path, environment: parentEnvironment, rights };
    const parent = new ForkParent({ command, workerFile, nativeFile, log, ...own });
    parents.add(parent);
    void parent.gone.then(() => parents.delete(parent));
    const timer = setTimeout(() => parent.kill(), options.startMs);
    return parent.ready.then(() => parent).finally(() => clearTimeout(timer));
  };
  const renew = (): Promise<ForkParent> => {
    next ??= startParent()
      .then((parent) => {
        current?.retire();
        current = parent;
        return parent;
      })
      .finally(() => {
        next = undefined;
      });
    return next;
  };
  /** Before the old one is too old, so that nobody waits for the new one. */
  const parentToFork = async (): Promise<ForkParent> => {
    if (current === undefined || !current.isUsable) return renew();
    if (current.forks >= max) renew().catch(() => current?.retire());
    return current;
  };

  const start = async (
    kind: typeof orders.worker | typeof orders.selfTest,
    stop: AbortSignal,
  ): Promise<FramedWorker> => {
    const parent = await parentToFork();
    const own = folder.forWorker();
    const child = door.expect();
    const late = setTimeout(child.forget, options.startMs);
    const abort = () => child.forget();
    stop.addEventListener("abort", abort, { once: true });
    let forked: Awaited<ReturnType<ForkParent["fork"]>> | undefined;
    try {
      forked = await parent.fork(kind, child.token);
      const died = forked.ended.then(() => Promise.reject(new Error("the child ended before it connected")));
      died.catch(() => {});
      const doorSocket = await Promise.race([child.door, died]);
      doorSocket.write(setupBytes({ folder: own, environment: options.environment, mustRead: mustRead(kind) }));
      const output = await Promise.race([child.output, died]);
      const { reap, pid, ended } = forked;
      doorSocket.once("close", reap);
      const { memoryMb, log } = options;
      const outputs = [[output, "stderr"]] as const;
      return readyInTime(
        new FramedWorker({ pid, door: doorSocket, outputs, ended, folder: own, memoryMb, log }),
        options.startMs,
        stop,
      );
    } catch (error) {
      child.forget();
      if (forked !== undefined) {
        killProcess(forked.pid);
        forked.reap();
      }
      throw error;
    } finally {
      clearTimeout(late);
      stop.removeEventListener("abort", abort);
    }
  };

  return {
    name: "fork",
    start: (stop) => start(orders.worker, stop),
    async selfTest() {
      const test = async () => {
        const worker = await start(orders.selfTest, new AbortController().signal);
        worker.kill();
        await worker.gone;
      };
      try {
        await test();
      } catch (error) {
        options.log.log("warn", "a forked worker can't do with fewer rights here", { reason: reasonOf(error) });
        rights = [];
        current?.retire();
        await test();
      }
    },
    get rights() {
      return current?.rights.join(", ") || "none";
    },
    get parentPid() {
      return current?.pid ?? 0;
    },
    async close() {
      door.close();
      for (const parent of parents) parent.kill();
      await Promise.all([...parents].map(({ gone }) => gone));
      await folder.remove();
    },
  };
}

/** @throws RangeError, with nothing left behind */
function openDoor(folder: DoorFolder): ForkDoor {
  try {
    return new ForkDoor(folder.forWorker());
  } catch (error) {
    void folder.remove();
    throw error;
  }
}

/** Of an error that wraps another, what the other says. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
