/** One sidecar as a child process: started, watched, started again with back-off when it dies. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Log } from "#ports/log";

export interface SidecarProcessOptions {
  readonly party: string;
  /** Arguments of Node. */
  readonly command: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Log;
  /** From SIGTERM to SIGKILL; absent: a second. */
  readonly stopMsMax?: number;
}

const readyMsMax = 60_000;
const stopMsMaxDefault = 1_000;
const restartFirstMs = 100;
const restartLongestMs = 5_000;
/** Ready for so long, the next death counts as the first. */
const settledMs = 10_000;

export class SidecarProcess {
  private readonly options: SidecarProcessOptions;
  /** Of the process that is ready. */
  metricsUrl: string | undefined;
  private saidReady = false;
  private child: ChildProcess | undefined;
  private wanted = false;
  /** Once: what dies before that is not started again. */
  private hasStarted = false;
  private restarts = 0;
  private restartTimer: NodeJS.Timeout | undefined;

  constructor(options: SidecarProcessOptions) {
    this.options = options;
  }

  get pid(): number | undefined {
    return hasEnded(this.child) ? undefined : this.child?.pid;
  }

  /** Has said so, and lives. */
  get isReady(): boolean {
    return this.saidReady && this.pid !== undefined;
  }

  /** Resolves when it says that it is ready. @throws Error when it does not; what it had to say is on stderr */
  async start(): Promise<void> {
    this.wanted = true;
    const failure = await this.launch();
    this.hasStarted = failure === undefined;
    if (failure === undefined) return;
    await this.stop();
    throw new Error(`the sidecar of ${this.options.party} ${failure}`);
  }

  /** SIGTERM, and SIGKILL when that takes too long. */
  async stop(): Promise<void> {
    this.wanted = false;
    clearTimeout(this.restartTimer);
    const { child } = this;
    if (child === undefined || hasEnded(child)) return;
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => child.kill("SIGKILL"), this.options.stopMsMax ?? stopMsMaxDefault);
      child.once("exit", () => {
        clearTimeout(force);
        resolve();
      });
      child.kill("SIGTERM");
    });
  }

  /** @returns why it did not become ready, or undefined when it did */
  private launch(): Promise<string | undefined> {
    const { command, environment, log, party } = this.options;
    // Over the channel the child notices that this process is gone.
    const stdio = ["ignore", "pipe", "inherit", "ipc"] as const;
    const child = spawn(process.execPath, command, { env: environment, stdio: [...stdio] });
    this.child = child;
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        resolve(`was not ready within ${readyMsMax / 1_000} s`);
        child.kill("SIGKILL");
      }, readyMsMax);
      let settle: NodeJS.Timeout | undefined;
      createInterface({ input: child.stdout as Readable }).once("line", (line) => {
        this.saidReady = true;
        this.metricsUrl = (JSON.parse(line) as { metrics?: string }).metrics;
        clearTimeout(late);
        settle = setTimeout(() => {
          this.restarts = 0;
        }, settledMs).unref();
        log.log("info", "a sidecar is ready", { party, sidecarPid: child.pid });
        resolve(undefined);
      });
      child.once("error", (error) => resolve(`can't be started: ${error.message}`));
      child.once("exit", (code, signal) => {
        clearTimeout(late);
        clearTimeout(settle);
        this.saidReady = false;
        this.metricsUrl = undefined;
        resolve(`ended with ${signal ?? code}`);
        if (this.wanted && this.hasStarted) this.restartLater(String(signal ?? code));
      });
    });
  }

  private restartLater(how: string): void {
    const delayMs = Math.min(restartLongestMs, restartFirstMs * 2 ** Math.min(this.restarts, 10));
    this.restarts += 1;
    this.options.log.log("warn", "a sidecar died and is started again", { party: this.options.party, how, delayMs });
    this.restartTimer = setTimeout(() => {
      if (this.wanted) void this.launch();
    }, delayMs);
  }
}

function hasEnded(child: ChildProcess | undefined): boolean {
  return child === undefined || child.exitCode !== null || child.signalCode !== null;
}
