/** What processes hold in memory. Linux: read from /proc (proc(5)). */
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const kibPerMib = 1_024;

export function residentMib(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
  if (kib === undefined) throw new Error(`process ${pid} has no resident memory: it has ended`);
  return Number(kib) / kibPerMib;
}

/** Of this process, which also holds what the test itself has made. */
export function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

/** Those among them whose command line has this word. */
export function pidsWith(word: string, pids: readonly number[]): number[] {
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1")
        .split("\0")
        .some((one) => one.includes(word));
    } catch {
      return false;
    }
  });
}
