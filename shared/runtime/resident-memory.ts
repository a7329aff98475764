import { readFileSync } from "node:fs";

/**
 * Resident memory of a process in megabytes (2^20 bytes), or undefined where the system does
 * not tell (not Linux) or the process is gone. Reads `status` and not `statm`: kilobytes
 * whatever the page size, and a read of procfs never waits for a disk.
 */
export function residentMb(pid: number): number | undefined {
  try {
    const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
    return found === null ? undefined : Number(found[1]) / 1_024;
  } catch {
    return undefined;
  }
}
