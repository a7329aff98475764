/** Which of this process's descendants compute. Linux: read from /proc (proc(5)). */
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { descendantsOf, statusFields } from "../../cli/system/descendants.ts";

/** A share that stays to one process on a machine that does much more, in ticks of 10 ms. */
const busyTicks = 2;

/** Those that had a share of a processor within the window and whose environment has this word. */
export async function busyProcesses(word: string, windowMs = 500): Promise<number[]> {
  const before = descendantsOf(process.pid)
    .filter((pid) => environmentOf(pid).includes(word))
    .map((pid) => ({ pid, ticks: ticksOf(pid) }));
  await wait(windowMs);
  return before.filter(({ pid, ticks }) => ticksOf(pid) - ticks >= busyTicks).map(({ pid }) => pid);
}

/** In user and in system mode; 0: it has ended. */
function ticksOf(pid: number): number {
  const [user = 0, system = 0] = statusFields(pid).slice(11, 13).map(Number);
  return user + system;
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1");
  } catch {
    return "";
  }
}
