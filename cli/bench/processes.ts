/** Processor time and memory of processes with all that they started. Linux: read from /proc (proc(5)). */
import { readdirSync, readFileSync } from "node:fs";
import { statusFields } from "../system/descendants.ts";

/** As the kernel shows times to users, on every Linux. */
const msPerTick = 10;
const kibPerMib = 1_024;

interface ProcessTimes {
  readonly parent: number;
  /** Its own, and of its children that ended and were waited for. */
  readonly cpuMs: number;
}

/** All processes, read once. */
function processTable(): Map<number, ProcessTimes> {
  const table = new Map<number, ProcessTimes>();
  for (const name of readdirSync("/proc")) {
    const fields = /^\d+$/.test(name) ? statusFields(Number(name)) : [];
    if (fields.length === 0) continue;
    const ticks = fields.slice(11, 15).reduce((sum, text) => sum + Number(text), 0);
    table.set(Number(name), { parent: Number(fields[1]), cpuMs: msPerTick * ticks });
  }
  return table;
}

function below(table: ReadonlyMap<number, ProcessTimes>, roots: readonly number[]): number[] {
  const children = new Map<number, number[]>();
  for (const [pid, { parent }] of table) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const found = new Set(roots);
  for (const pid of found) for (const child of children.get(pid) ?? []) found.add(child);
  return [...found];
}

/** The roots and all below them. */
export function treeOf(roots: readonly number[]): number[] {
  return below(processTable(), roots);
}

export function childrenOf(pid: number): number[] {
  return [...processTable()].filter(([, { parent }]) => parent === pid).map(([child]) => child);
}

/** Of this process and its dead children, and of the roots with all below them, dead or alive; in milliseconds. */
export function cpuMs(roots: readonly number[]): number {
  const table = processTable();
  return sumOf(table, [process.pid, ...below(table, roots)]);
}

/** As `cpuMs`, without this process. */
export function treeCpuMs(roots: readonly number[]): number {
  const table = processTable();
  return sumOf(table, below(table, roots));
}

function sumOf(table: ReadonlyMap<number, ProcessTimes>, pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (table.get(pid)?.cpuMs ?? 0), 0);
}

/** What they take of the memory: a page that several share counts for each by its part (PSS). 0 for what has ended. */
export function pssMib(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + pssKib(pid), 0) / kibPerMib;
}

function pssKib(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
