/**
 * A warm parent of workers. It loads and rehearses the step on made-up input, and then only waits for orders, in one
 * blocking read: nothing of its event loop runs while it forks. It holds no data, no secret and no connection.
 */
import { readdirSync, readlinkSync, readSync, writeSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { drawFromSystem, prepareForForks } from "./before-forks.ts";
import { type ForkCalls, loadForkCalls, socketAddress } from "./fork-calls.ts";
import { forkServerArgument, orderBytes, orders } from "./fork-protocol.ts";
import { dropRights } from "./fork-rights.ts";
import { becomeChild, dieWith, type Forked, type ForkedChild } from "./forked-child.ts";
import { partsOfStatus } from "./wait-status.ts";

export const isForkServer = (): boolean => process.argv[2] === forkServerArgument;

/** Where it answers: `ready <pid> <rights given up>`, `unfit <why>`, `forked <pid>`, `ended <pid> <status>`, `alive <pid>`. */
const answers = 3;
/** What the server itself leaves in its heap, each child would inherit, and copy when it makes room. */
const forksBetweenCollections = 100;

/** @param rehearse once, in the parent @returns in each child, never in the parent */
export async function serveForks(rehearse: (calls: ForkCalls) => Promise<void>): Promise<ForkedChild> {
  const [, , , nativeFile = "", doorPath = "", wanted = ""] = process.argv;
  // A step sees what it sees in a worker of its own.
  process.argv.length = 2;
  const calls = await ready(nativeFile, rehearse).catch((error: unknown) => {
    sayUnfit(error);
    process.exit(1);
  });
  const collectGarbage = youngCollection();
  collectGarbage();
  const rights = giveUp(calls, wanted.split(","));
  say(`ready ${calls.getpid()} ${rights.join(",")}`);
  return becomeChild(waitForOrders(calls, collectGarbage), { calls, rights, door: socketAddress(doorPath), answers });
}

/**
 * Of what is young alone: a collection of everything would take with it what V8 has learnt in the rehearsals, which it
 * keeps by kinds of objects, and of each kind it keeps only what is alive.
 */
function youngCollection(): () => void {
  setFlagsFromString("--expose-gc");
  const gc: (of: { readonly type: "minor" }) => void = runInNewContext("gc");
  return () => gc({ type: "minor" });
}

/**
 * Only a process of one thread may leave its namespaces, and a fork has one: so a first fork serves in place of the
 * original, which waits for its end. @returns in the fork: what it has given up
 */
function giveUp(calls: ForkCalls, wanted: readonly string[]): readonly string[] {
  const original = calls.getpid();
  calls.trimMemory();
  calls.copyMemoryInForks();
  const server = calls.fork();
  if (server > 0) calls.exitNow(exitCodeOf(calls.waitFor(server)));
  if (server < 0) throw new Error("the system did not let it fork");
  dieWith(calls, original);
  try {
    return dropRights(calls, wanted);
  } catch (error) {
    sayUnfit(error);
    calls.exitNow(1);
    throw error;
  }
}

/** As a shell has it: 128 and the signal. */
function exitCodeOf(status: number): number {
  const { signal, exitCode } = partsOfStatus(status);
  return signal === 0 ? exitCode : 128 + signal;
}

function sayUnfit(error: unknown): void {
  const why = error instanceof Error ? error.message : String(error);
  say(`unfit ${why.replaceAll("\n", " ")}`);
}

/** @throws Error with why it can't be a parent */
async function ready(nativeFile: string, rehearse: (calls: ForkCalls) => Promise<void>): Promise<ForkCalls> {
  const calls = loadForkCalls(nativeFile);
  drawFromSystem();
  await rehearse(calls);
  await settled();
  const unfit = whyUnfit();
  if (unfit !== undefined) throw new Error(unfit);
  prepareForForks(calls);
  return calls;
}

/** @returns in a child */
function waitForOrders(calls: ForkCalls, collectGarbage: () => void): Forked {
  const parentPid = calls.getpid();
  const order = Buffer.alloc(orderBytes);
  let forks = 0;
  for (;;) {
    for (let filled = 0; filled < orderBytes; ) {
      const read = readSync(0, order, filled, orderBytes - filled, null);
      // The door is gone.
      if (read === 0) calls.exitNow(0);
      filled += read;
    }
    const kind = String.fromCharCode(order[0] as number);
    if (kind === orders.reap) {
      const pid = Number(order.toString("latin1", 1));
      const status = calls.reap(pid);
      say(status === undefined ? `alive ${pid}` : `ended ${pid} ${status}`);
      continue;
    }
    if (++forks % forksBetweenCollections === 0) collectGarbage();
    calls.copyMemoryInForks();
    const pid = calls.fork();
    if (pid === 0) return { parentPid, selfTest: kind === orders.selfTest, token: order.toString("latin1", 1) };
    say(`forked ${pid}`);
  }
}

function say(line: string): void {
  writeSync(answers, `${line}\n`);
}

/** Two rounds of the event loop: what was closed is closed. */
async function settled(): Promise<void> {
  for (let round = 0; round < 2; round++) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * A child shares each open file with its siblings, and has none of the parent's threads: whoever waits for one would
 * wait for ever. So there may be none but Node's own.
 */
function whyUnfit(): string | undefined {
  for (const name of readdirSync("/proc/self/fd")) {
    const target = Number(name) > answers ? targetOf(name) : "";
    if (!ownDescriptors.test(target)) return `the rehearsal left open ${target}`;
  }
  const threads = readdirSync("/proc/self/task").length;
  return threads > ownThreadsMax
    ? `the rehearsal left ${threads} threads, Node has ${ownThreadsMax} at most`
    : undefined;
}

/** libuv's own. */
const ownDescriptors = /^(|anon_inode:.*|pipe:.*|\/dev\/null|\/dev\/u?random)$/;
/** Main, two of the platform's, the inspector's that waits for a signal, four of libuv's pool. */
const ownThreadsMax = 8;

function targetOf(name: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${name}`);
  } catch {
    // The one that listed them.
    return "";
  }
}
