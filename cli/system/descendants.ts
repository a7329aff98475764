/** The processes that this one has started, and theirs. Linux: read from /proc; elsewhere none are found. */
import { readdirSync, readFileSync } from "node:fs";

/** SIGKILL to all of them: the last resort of a stop that takes too long. */
export function killDescendants(): void {
  for (const pid of descendantsOf(process.pid)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Ended meanwhile.
    }
  }
}

/** Children before grandchildren. */
export function descendantsOf(root: number): number[] {
  const all = processes();
  const found = [root];
  for (const pid of found) found.push(...all.filter(({ parent }) => parent === pid).map((child) => child.pid));
  return found.slice(1);
}

function processes(): { pid: number; parent: number }[] {
  return pids().flatMap((pid) => {
    const parent = Number(statusFields(pid)[1]);
    return Number.isInteger(parent) ? [{ pid, parent }] : [];
  });
}

function pids(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** `/proc/PID/stat` from the state on: the name before it may hold spaces and brackets (proc(5)). */
export function statusFields(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}
