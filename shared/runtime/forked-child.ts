/** The first acts of a forked child, all of them before its event loop turns: it becomes a process of its own. */
import { openSync, readSync, writeSync } from "node:fs";
import type { ForkCalls } from "./fork-calls.ts";
import { type ChildSetup, connections } from "./fork-protocol.ts";
import { isReadable } from "./is-readable.ts";

export interface Forked {
  readonly parentPid: number;
  readonly selfTest: boolean;
  readonly token: string;
}

export interface ForkedChild {
  readonly selfTest: boolean;
}

export interface Inherited {
  readonly calls: ForkCalls;
  /** Given up by all but `dumpable`, which is each child's own to give up. */
  readonly rights: readonly string[];
  /** sockaddr_un. */
  readonly door: Buffer;
  /** The parent's way to its door, whose place the child's own door takes. */
  readonly answers: number;
}

const [setDeathSignal, setDumpable] = [1, 4];
const [sigkill, closeOnExec] = [9, 0o2000000];
const notAdopted = 98;

export function becomeChild(
  { parentPid, selfTest, token }: Forked,
  { calls, rights, door: address, answers }: Inherited,
): ForkedChild {
  dieWith(calls, parentPid);
  // No other process of the same user may look into it.
  if (rights.includes("dumpable")) calls.prctl(setDumpable, 0, 0, 0, 0);
  calls.setsid();
  const door = connectAs(connections.door, token);
  const setup = readSetup(door);
  const output = connectAs(connections.output, token);
  const nothing = openSync("/dev/null", "r");
  calls.dup3(nothing, 0, 0);
  calls.dup3(output, 1, 0);
  calls.dup3(output, 2, 0);
  calls.dup3(door, answers, closeOnExec);
  for (const descriptor of [nothing, output, door]) calls.close(descriptor);
  if (calls.adoptLoop() !== 0) calls.exitNow(notAdopted);
  ownProcess(calls, setup);
  if (setup.mustRead !== undefined && !isReadable(setup.mustRead)) {
    throw new Error("without its rights it could not read data_dir");
  }
  return { selfTest };

  function connectAs(kind: string, token: string): number {
    const descriptor = calls.connectTo(address);
    if (descriptor < 0) calls.exitNow(notAdopted);
    writeSync(descriptor, kind + token);
    return descriptor;
  }
}

/** Of the process that calls it. */
export function dieWith(calls: ForkCalls, parentPid: number): void {
  calls.prctl(setDeathSignal, sigkill, 0, 0, 0);
  // It may have died before the kernel knew.
  if (calls.getppid() !== parentPid) calls.exitNow(notAdopted);
}

function readSetup(door: number): ChildSetup {
  const exactly = (bytes: number) => {
    const text = Buffer.alloc(bytes);
    for (let filled = 0; filled < bytes; ) {
      const read = readSync(door, text, filled, bytes - filled, null);
      if (read === 0) throw new Error("the door closed");
      filled += read;
    }
    return text;
  };
  return JSON.parse(exactly(exactly(4).readUInt32BE(0)).toString());
}

function ownProcess(calls: ForkCalls, { folder, environment }: ChildSetup): void {
  Object.defineProperty(process, "pid", { value: calls.getpid(), enumerable: true, configurable: true });
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, environment, { TMPDIR: folder, HOME: folder });
  process.chdir(folder);
}
