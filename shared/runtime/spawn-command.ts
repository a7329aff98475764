import { spawnSync } from "node:child_process";

export interface SpawnCommand {
  readonly file: string;
  readonly arguments: readonly string[];
  /** Whether the kernel kills the worker when the door dies, even if it is busy. */
  readonly diesWithDoor: boolean;
}

/**
 * Node behind setpriv (util-linux), which costs no process of its own: it sets
 * PR_SET_PDEATHSIG and no-new-privs and becomes Node. Without it a worker notices the door's
 * death only when its event loop next turns.
 */
export function spawnCommand(heapMb: number): SpawnCommand {
  const node = [process.execPath, `--max-old-space-size=${heapMb}`];
  const guard = ["--pdeathsig", "KILL", "--no-new-privs"];
  const probe = spawnSync("setpriv", [...guard, "true"], { stdio: "ignore", timeout: 2_000 });
  return probe.status === 0
    ? { file: "setpriv", arguments: [...guard, ...node], diesWithDoor: true }
    : { file: node[0] as string, arguments: node.slice(1), diesWithDoor: false };
}
