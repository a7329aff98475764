/**
 * What a fork server gives up before it forks, so that each child is born without it and pays nothing for that. What the
 * system does not let it give up, it keeps, and says so.
 */
import { writeFileSync } from "node:fs";
import type { ForkCalls } from "./fork-calls.ts";
import { syscallFilter } from "./syscall-filter.ts";

/** In this order: the first makes the next possible without privileges, the last ends the list. */
export const rightNames = ["namespaces", "network", "cores", "dumpable", "no-new-privs", "seccomp"] as const;

/** From linux/sched.h: user, mount, ipc and uts; network. */
const ownNamespaces = 0x10000000 | 0x00020000 | 0x08000000 | 0x04000000;
const ownNetwork = 0x40000000;
const setNoNewPrivs = 38;
const coreBytes = 4;

/** @param calls of a process with one thread: no other may leave its namespaces @param wanted of `rightNames` @returns those that are in force */
export function dropRights(calls: ForkCalls, wanted: readonly string[]): string[] {
  const { uid, gid } = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const acts: Readonly<Record<(typeof rightNames)[number], () => boolean>> = {
    namespaces: () => calls.unshare(ownNamespaces) === 0 && keepIds(uid, gid),
    // A Unix socket in a folder can still be reached, and the door's is all that a child looks for.
    network: () => calls.unshare(ownNetwork) === 0,
    // A core would hold the query's data.
    cores: () => calls.setrlimit(coreBytes, Buffer.alloc(16)) === 0,
    // Each child for itself: a server that nobody may look into could not be watched.
    dumpable: () => true,
    "no-new-privs": () => calls.prctl(setNoNewPrivs, 1, 0, 0, 0) === 0,
    seccomp: () => {
      const filter = syscallFilter(process.arch);
      return filter !== undefined && calls.installFilter(filter) === 0;
    },
  };
  return rightNames.filter((name) => wanted.includes(name) && acts[name]());
}

/** Outside of a map every id is `nobody`, and files that it makes could not be its own. */
function keepIds(uid: number, gid: number): boolean {
  writeFileSync("/proc/self/setgroups", "deny");
  writeFileSync("/proc/self/uid_map", `${uid} ${uid} 1`);
  writeFileSync("/proc/self/gid_map", `${gid} ${gid} 1`);
  return true;
}
