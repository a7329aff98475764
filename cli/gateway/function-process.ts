/** One function as a child process: started, watched, started again when it dies, stopped with all that it started. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "#ports/log";
import type { LogRing } from "./log-ring.ts";

export interface FunctionProcessOptions {
  readonly name: string;
  /** Holds the bundle's index.js. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly log: Log;
  readonly lines: LogRing;
}

const readyMsMax = 30_000;
const stopMsMax = 1_500;
/** Of that, for calls in flight: those that wait at the orchestrator are told then that it stops. */
const drainMsMax = 1_000;
const restartFirstMs = 100;
const restartLongestMs = 5_000;
/** Ready for so long, the next death counts as the first. */
const settledMs = 30_000;

export class FunctionProcess {
  /** Of the loopback interface; undefined while it does not listen. */
  port: number | undefined;
  ready = false;
  /** Since it was last settled. */
  restarts = 0;
  private readonly options: FunctionProcessOptions;
  private child: ChildProcess | undefined;
  private wanted = false;
  private starting = false;
  private turn: Promise<void> = Promise.resolve();
  private restartTimer: NodeJS.Timeout | undefined;

  constructor(options: FunctionProcessOptions) {
    this.options = options;
  }

  /**
   * Resolves when the function says that it is ready; at once when it runs already.
   * @throws Error with its last lines when it does not become ready
   */
  start(): Promise<void> {
    return this.inTurn(async () => {
      if (this.wanted) return;
      this.wanted = true;
      this.starting = true;
      const failure = await this.launch();
      this.starting = false;
      if (failure === undefined) return;
      this.wanted = false;
      await endProcess(this.child);
      const last = this.options.lines.last(5).map(({ text }) => `\n  ${text}`);
      throw new Error(`the function ${this.options.name} ${failure}${last.join("")}`);
    });
  }

  /**
   * Lets what is in hand end, for so long; then everything of it is killed. A start in hand is broken off.
   * @param msMax as a pod's termination grace period; absent: a moment
   */
  stop(msMax = stopMsMax): Promise<void> {
    this.wanted = false;
    clearTimeout(this.restartTimer);
    const ended = endProcess(this.child, msMax);
    return this.inTurn(async () => {
      await ended;
      this.wanted = false;
      await endProcess(this.child);
    });
  }

  /** Starts and stops one after the other, in the order in which they were asked for. */
  private inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.turn.then(work);
    this.turn = done.catch(() => {});
    return done;
  }

  /** One process. @returns why it did not become ready, or undefined when it did */
  private launch(): Promise<string | undefined> {
    const { folder, environment, lines } = this.options;
    const file = join(folder, "index.js");
    if (!existsSync(file)) return Promise.resolve(`is not built: there is no ${file}`);
    const child = spawn(process.execPath, [file], {
      cwd: folder,
      env: { ...inherited(), drain_ms: String(drainMsMax), ...environment, http_port: "0" },
      // Over the channel the child notices that this process is gone; a group of its own, to kill all of it.
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: true,
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", lines.reader());
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        resolve(`was not ready within ${readyMsMax / 1_000} s`);
        killGroup(child);
      }, readyMsMax);
      let settle: NodeJS.Timeout | undefined;
      child.on("message", (message: { event?: string; port?: number }) => {
        if (message.event === "listening") this.port = message.port;
        if (message.event !== "ready") return;
        clearTimeout(late);
        this.ready = true;
        settle = setTimeout(() => {
          this.restarts = 0;
        }, settledMs).unref();
        resolve(undefined);
      });
      child.once("error", (error) => resolve(`can't be started: ${error.message}`));
      child.once("exit", (code, signal) => {
        clearTimeout(late);
        clearTimeout(settle);
        // What it started and left.
        killGroup(child);
        resolve(`ended with ${signal ?? code}`);
        if (this.child !== child) return;
        this.port = undefined;
        this.ready = false;
        if (this.wanted && !this.starting) this.restartLater(signal ?? String(code));
      });
    });
  }

  private restartLater(how: string): void {
    const delayMs = Math.min(restartLongestMs, restartFirstMs * 2 ** Math.min(this.restarts, 10));
    this.restarts += 1;
    this.options.log.log("warn", "a function died and is started again", { function: this.options.name, how, delayMs });
    this.restartTimer = setTimeout(() => {
      if (this.wanted) void this.launch();
    }, delayMs);
  }
}

function inherited(): Record<string, string> {
  return { PATH: process.env.PATH ?? "", TMPDIR: process.env.TMPDIR ?? "/tmp" };
}

/** SIGTERM, SIGKILL to its group when that is not enough; resolves when it has ended. */
function endProcess(child: ChildProcess | undefined, msMax = stopMsMax): Promise<void> {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const force = setTimeout(() => killGroup(child), msMax);
    child.once("exit", () => {
      clearTimeout(force);
      resolve();
    });
    child.kill("SIGTERM");
  });
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nothing of the group is left.
  }
}
