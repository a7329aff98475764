/** Where workers have their temporary folders: one folder a door, one inside it for each worker. */
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const prefix = `dynamos-${processSpace()}-`;

export interface DoorFolder {
  /** A fresh, empty folder that only this user may enter (0700). */
  forWorker(): string;
  remove(): Promise<void>;
}

/** Also removes what doors left behind that were killed without a chance to tidy up. */
export function makeDoorFolder(root = tmpdir()): DoorFolder {
  removeOrphans(root);
  const folder = mkdtempSync(join(root, `${prefix}${process.pid}-`));
  return {
    forWorker: () => mkdtempSync(join(folder, "worker-")),
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}

function removeOrphans(root: string): void {
  for (const name of readdirSync(root)) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (pid > 0 && pid !== process.pid && !isAlive(pid)) {
      rmSync(join(root, name), { recursive: true, force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Pids mean something inside one pid namespace only, and containers may share a temporary folder. */
function processSpace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid").replace(/\D/g, "");
  } catch {
    return "0";
  }
}
