/** The first acts of a forked child, all of them before its event loop turns: it becomes a process of its own. */
import { randomFillSync, randomInt, randomUUID } from "node:crypto";
import { accessSync, constants, openSync, readSync, writeSync } from "node:fs";
import type { ForkCalls } from "./fork-calls.ts";
import { type ChildSetup, connections, rightsInForce } from "./fork-protocol.ts";
import { dropRights } from "./fork-rights.ts";

export interface Forked {
  readonly parentPid: number;
  readonly selfTest: boolean;
  readonly token: string;
}

export interface ForkedChild {
  readonly selfTest: boolean;
}

interface Inherited {
  readonly calls: ForkCalls;
  readonly doorPath: string;
  /** The parent's way to its door, whose place the child's own door takes. */
  readonly answers: number;
}

const dieWithParent = 1;
const [sigkill, closeOnExec] = [9, 0o2000000];
const notAdopted = 98;

export function becomeChild(
  { parentPid, selfTest, token }: Forked,
  { calls, doorPath, answers }: Inherited,
): ForkedChild {
  calls.prctl(dieWithParent, sigkill, 0, 0, 0);
  // It may have died before the kernel knew.
  if (calls.getppid() !== parentPid) calls.exitNow(notAdopted);
  calls.setsid();
  ownEnd(calls);
  ownRandomness();
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
  const wasReadable = isReadable(setup.environment.data_dir ?? "");
  const inForce = dropRights(calls, setup.rights);
  if (selfTest) {
    // Where it was readable before, the step needs it.
    const { data_dir } = setup.environment;
    if (data_dir && wasReadable && !isReadable(data_dir))
      throw new Error("without its rights it could not read data_dir");
    writeSync(2, `${rightsInForce}${inForce.join(", ") || "none"}\n`);
  }
  return { selfTest };

  function connectAs(kind: string, token: string): number {
    const descriptor = calls.connectTo(doorPath);
    if (descriptor < 0) calls.exitNow(notAdopted);
    writeSync(descriptor, kind + token);
    return descriptor;
  }
}

function isReadable(folder: string): boolean {
  try {
    accessSync(folder, constants.R_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
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

/** Node's own way out waits for threads that only the parent has. */
function ownEnd(calls: ForkCalls): void {
  const leave = process as unknown as { reallyExit: (code?: number) => void };
  leave.reallyExit = (code) => calls.exitNow(code ?? 0);
  process.on("uncaughtException", (error) => {
    writeSync(2, `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    calls.exitNow(1);
  });
}

/**
 * What Node drew before the fork and holds ready, each child would hand out again: it is used up here. Math.random
 * has its seed from the parent and no function to give it another, so it draws from the system's.
 */
function ownRandomness(): void {
  for (let drawn = 0; drawn < uuidsHeld; drawn++) randomUUID();
  for (let drawn = 0; drawn < integersHeld; drawn++) randomInt(2);
  const words = new Uint32Array(128);
  let at = words.length;
  Math.random = () => {
    if (at === words.length) {
      randomFillSync(words);
      at = 0;
    }
    const [high, low] = [words[at] as number, words[at + 1] as number];
    at += 2;
    return ((high >>> 5) * 0x4000000 + (low >>> 6)) / 0x20000000000000;
  };
}

/** lib/internal/crypto/random.js: kBatchSize, and 6 KiB of six bytes each. */
const [uuidsHeld, integersHeld] = [128, 1_024];
