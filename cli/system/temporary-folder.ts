import { readdirSync, readlinkSync, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { statusFields } from "./descendants.ts";

export interface TemporaryFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** A pid alone is used again; with the time of its start it names one process. 0 where there is no /proc. */
const owner = /^dynamos-(?:run|data)-(\d+)-(\d+)-(\d+)-/;

/**
 * A folder of this run alone. Goes with `remove`, at the latest with the process, and when that
 * was killed with the next run's first folder.
 */
export async function makeTemporaryFolder(kind: "run" | "data", root = tmpdir()): Promise<TemporaryFolder> {
  removeOrphans(root);
  const path = await mkdtemp(join(root, `dynamos-${kind}-${processSpace()}-${process.pid}-${startOf(process.pid)}-`));
  const atExit = () => rmSync(path, { recursive: true, force: true });
  process.once("exit", atExit);
  return {
    path,
    remove: async () => {
      process.off("exit", atExit);
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function removeOrphans(root: string): void {
  for (const name of readdirSync(root)) {
    const [, space, pid, start] = owner.exec(name) ?? [];
    if (space !== processSpace() || isRunning(Number(pid), String(start))) continue;
    try {
      rmSync(join(root, name), { recursive: true, force: true });
    } catch {
      // Another user's: theirs to remove.
    }
  }
}

function isRunning(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  return startOf(pid) === start;
}

/** Clock ticks from the machine's start to the process's (proc(5), field 22). */
function startOf(pid: number): string {
  return statusFields(pid)[19] ?? "0";
}

/** Pids mean something inside one pid namespace only, and containers may share a temporary folder. */
function processSpace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid").replace(/\D/g, "");
  } catch {
    return "0";
  }
}
