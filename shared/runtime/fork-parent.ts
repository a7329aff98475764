/** The door's side of one fork server: its start, its orders, the ends of its children. */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { limits } from "#domain/limits";
import type { Log } from "#ports/log";
import { forkServerArgument, orderOf, orders } from "./fork-protocol.ts";
import type { SpawnCommand } from "./spawn-command.ts";
import { endOf } from "./spawned-worker.ts";
import { partsOfStatus } from "./wait-status.ts";
import type { ProcessEnd } from "./worker-end.ts";
import { WorkerOutput } from "./worker-output.ts";

export interface ForkParentOptions {
  readonly command: SpawnCommand;
  readonly workerFile: string;
  /** koffi's native part. */
  readonly nativeFile: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly doorPath: string;
  readonly folder: string;
  /** To give up, of `rightNames`. */
  readonly rights: readonly string[];
  readonly log: Log;
}

export interface ForkedProcess {
  readonly pid: number;
  readonly ended: Promise<ProcessEnd>;
  /** Its connection has closed, so it ends or has ended: asks until it is known how. */
  reap(): void;
}

export class ForkParent {
  /** 0 until it is ready. */
  pid = 0;
  readonly ready: Promise<void>;
  readonly gone: Promise<void>;
  /** So far. */
  forks = 0;
  /** What it has given up, once it is ready. */
  rights: readonly string[] = [];
  readonly #child: ChildProcess;
  readonly #children = new Map<number, (end: ProcessEnd) => void>();
  readonly #waiting: { readonly resolve: (pid: number) => void; readonly reject: (error: Error) => void }[] = [];
  readonly #output: WorkerOutput;
  #settle: { resolve: () => void; reject: (error: Error) => void } = { resolve: () => {}, reject: () => {} };
  #retired = false;
  #ended = false;

  constructor({ command, workerFile, nativeFile, environment, doorPath, folder, rights, log }: ForkParentOptions) {
    // Behind setpriv, Node is the last of the arguments but for its own.
    const file = [workerFile, forkServerArgument, nativeFile, doorPath, rights.join(",")];
    this.#child = spawn(command.file, [...command.arguments, ...nodeFlags, ...file], {
      cwd: folder,
      // libuv's rings can't be shared with a child. What a library calls is looked up here, not by each child for itself.
      env: { ...environment, TMPDIR: folder, HOME: folder, UV_USE_IO_URING: "0", LD_BIND_NOW: "1" },
      stdio: ["pipe", "pipe", "pipe", "pipe"],
      detached: true,
    });
    this.#output = new WorkerOutput(log.with({ forkServer: this.#child.pid ?? 0 }));
    this.#output.follow(this.#child.stdout as Readable, "stdout");
    this.#output.follow(this.#child.stderr as Readable, "stderr");
    this.#child.stdin?.on("error", () => {});
    this.ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.ready.catch(() => {});
    createInterface({ input: this.#child.stdio[3] as Readable }).on("line", (line) => this.#hear(line));
    this.gone = endOf(this.#child).then((end) => this.#end(end));
  }

  get isUsable(): boolean {
    return !this.#ended && !this.#retired;
  }

  get children(): number {
    return this.#children.size;
  }

  /** @throws Error when it could not */
  async fork(kind: typeof orders.worker | typeof orders.selfTest, token: string): Promise<ForkedProcess> {
    if (this.#ended) throw new Error("the fork server has ended");
    this.forks++;
    const pid = await new Promise<number>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#order(kind, token);
    });
    const ended = new Promise<ProcessEnd>((resolve) => this.#children.set(pid, resolve));
    if (this.#ended) this.#endChild(pid, killed);
    return { pid, ended, reap: () => this.#reap(pid) };
  }

  /** Forks no more, and goes when its last child has gone. */
  retire(): void {
    this.#retired = true;
    if (this.#children.size === 0 && this.#waiting.length === 0) this.kill();
  }

  /** The process that was started ends after the one that serves. */
  kill(): void {
    if (this.#ended) return;
    if (this.pid === 0) this.#child.kill("SIGKILL");
    else killProcess(this.pid);
  }

  #order(kind: (typeof orders)[keyof typeof orders], value: string): void {
    (this.#child.stdin as Writable).write(orderOf(kind, value));
  }

  #reap(pid: number): void {
    if (this.#children.has(pid) && !this.#ended) this.#order(orders.reap, String(pid));
  }

  #hear(line: string): void {
    const [word = "", first = "", second = ""] = line.split(" ");
    if (word === "ready") this.#becomeReady(Number(first), second);
    else if (word === "unfit") this.#settle.reject(new Error(line.slice(word.length + 1)));
    else if (word === "forked") this.#forked(Number(first));
    else if (word === "ended") this.#endChild(Number(first), endFrom(Number(second)));
    else if (word === "alive") setTimeout(() => this.#reap(Number(first)), limits.forkReapRetryMs);
  }

  #becomeReady(pid: number, rights: string): void {
    this.pid = pid;
    this.rights = rights.split(",").filter((name) => name !== "");
    this.#settle.resolve();
  }

  #forked(pid: number): void {
    const waiting = this.#waiting.shift();
    if (pid > 0) waiting?.resolve(pid);
    else waiting?.reject(new Error("the system did not let the fork server fork"));
  }

  #endChild(pid: number, end: ProcessEnd): void {
    this.#children.get(pid)?.(end);
    this.#children.delete(pid);
    if (this.#retired) this.retire();
  }

  /** The kernel kills its children with it. */
  #end({ exitCode, signal }: ProcessEnd): void {
    this.#ended = true;
    const how = signal === null ? `with exit code ${exitCode}` : `by ${signal}`;
    const words = this.#output.lastWords.trim().split("\n").at(-1) ?? "";
    const error = new Error(`the fork server ended ${how}${words === "" ? "" : `: ${words.slice(0, 200)}`}`);
    this.#settle.reject(error);
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    for (const pid of this.#children.keys()) this.#endChild(pid, killed);
  }
}

const nodeFlags = [
  // A fork has none but the thread that called it.
  "--single-threaded",
  "--v8-pool-size=0",
  // What a call needs is compiled before the fork, also where no rehearsal comes along, and kept: V8 forgets what its
  // own process has not run for some collections, and the parent runs none of it.
  "--no-lazy",
  "--no-flush-bytecode",
  // What a rehearsal teaches V8 about a function, it keeps from the first call on, not from the eighth.
  "--no-lazy-feedback-allocation",
  // A collection in a child writes to all that it shares with the parent. Most calls end before five times what
  // the parent holds; the limit of the heap is as it was.
  "--heap-growing-percent=400",
  // Nor one because nothing happens: a child that waits for its call would tidy up a heap that it is about to throw away.
  "--no-memory-reducer",
  // In MiB. The rehearsals would make it eight, all of which goes along in every fork and is given up at every end.
  "--max-semi-space-size=1",
];

export function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Already gone.
  }
}

const killed: ProcessEnd = { exitCode: null, signal: "SIGKILL" };

function endFrom(status: number): ProcessEnd {
  const { signal, exitCode } = partsOfStatus(status);
  if (signal === 0) return { exitCode, signal: null };
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  return { exitCode: null, signal: name ?? `${signal}` };
}
