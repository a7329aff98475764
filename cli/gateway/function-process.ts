/** One function as a child process: started, watched, started again when it dies, stopped with all that it started. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
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
const restartFirstMs = 100;
const restartLongestMs = 5_000;

export class FunctionProcess {
  /** Of the loopback interface; undefined while it does not listen. */
  port: number | undefined;
  ready = false;
  restarts = 0;
  private readonly options: FunctionProcessOptions;
  private child: ChildProcess | undefined;
  private wanted = false;
  private restartTimer: NodeJS.Timeout | undefined;

  constructor(options: FunctionProcessOptions) {
    this.options = options;
  }

  /** Resolves when the function says that it is ready. @throws Error with its last lines when it does not */
  async start(): Promise<void> {
    this.wanted = true;
    const { name, lines } = this.options;
    const outcome = await new Promise<string>((resolve) => {
      const timer = setTimeout(() => resolve(`was not ready within ${readyMsMax / 1_000} s`), readyMsMax);
      const end = (result: string) => {
        clearTimeout(timer);
        resolve(result);
      };
      this.launch(
        () => end(""),
        (reason) => end(reason),
      );
    });
    if (outcome !== "") {
      await this.stop();
      throw new Error(
        `the function ${name} ${outcome}\n${lines
          .last(5)
          .map(({ text }) => `  ${text}`)
          .join("\n")}`,
      );
    }
  }

  /** Lets calls in flight end, for a moment; then everything of it is killed. */
  async stop(): Promise<void> {
    this.wanted = false;
    clearTimeout(this.restartTimer);
    const child = this.child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => killGroup(child, "SIGKILL"), stopMsMax);
      child.once("exit", () => {
        clearTimeout(force);
        resolve();
      });
      child.kill("SIGTERM");
    });
  }

  private launch(onReady: () => void, onExit: (reason: string) => void): void {
    const { folder, environment, lines } = this.options;
    const child = spawn(process.execPath, [join(folder, "index.js")], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? "", TMPDIR: process.env.TMPDIR ?? "/tmp", ...environment, http_port: "0" },
      // Over the channel the child notices that this process is gone; a group of its own, to kill all of it.
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: true,
    });
    this.child = child;
    child.on("message", (message: { event?: string; port?: number }) => {
      if (message.event === "listening") this.port = message.port;
      if (message.event === "ready") {
        this.ready = true;
        onReady();
      }
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on("line", (text) => lines.add(text));
    }
    child.once("error", (error) => onExit(`can't be started: ${error.message}`));
    child.once("exit", (code, signal) => {
      this.port = undefined;
      this.ready = false;
      killGroup(child, "SIGKILL");
      onExit(`ended with ${signal ?? code}`);
      if (this.wanted) this.restartLater(signal ?? String(code));
    });
  }

  private restartLater(how: string): void {
    const delayMs = Math.min(restartLongestMs, restartFirstMs * 2 ** Math.min(this.restarts, 10));
    this.restarts += 1;
    this.options.log.log("warn", "a function died and is started again", { function: this.options.name, how, delayMs });
    this.restartTimer = setTimeout(() => {
      if (this.wanted)
        this.launch(
          () => {},
          () => {},
        );
    }, delayMs);
  }
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // Nothing of the group is left.
  }
}
