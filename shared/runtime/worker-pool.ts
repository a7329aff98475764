/** Workers ready ahead of demand, each used once. The same for every backend. */
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Log } from "#ports/log";
import type { Call, Invocation, InvocationLimits, StepInvoker } from "./step-invoker.ts";
import { WaitingCallers } from "./waiting-callers.ts";
import type { Worker, WorkerBackend } from "./worker-backend.ts";

export interface WorkerPoolOptions {
  readonly backend: WorkerBackend;
  readonly poolSize: number;
  readonly concurrency: number;
  readonly callersWaiting: number;
  readonly log: Log;
  /** Called each time that a worker has become ready. */
  readonly onReady?: () => void;
}

export class WorkerPool implements StepInvoker {
  readonly #options: WorkerPoolOptions;
  readonly #ready: Worker[] = [];
  /** Every worker that is not gone yet. */
  readonly #alive = new Set<Worker>();
  readonly #waiting: WaitingCallers<Worker>;
  readonly #starts = new Set<Promise<void>>();
  /** Workers given to a caller, until their reply. */
  #calling = 0;
  #wasReady = false;
  #failedStarts = 0;
  #refill: NodeJS.Timeout | undefined;
  #restartAtMs = 0;
  #closed = false;
  readonly #stop = new AbortController();

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#waiting = new WaitingCallers(options.callersWaiting);
    this.#fill();
  }

  /** From the first ready worker on, also while all are busy; not while workers fail to start. */
  isReady(): boolean {
    return !this.#closed && (this.#ready.length > 0 || (this.#wasReady && this.#failedStarts === 0));
  }

  async invoke(call: Call, invocation: InvocationLimits): Promise<Invocation> {
    const worker = await this.#take(invocation);
    try {
      return { outcome: await worker.call(call, invocation), worker: worker.id };
    } finally {
      this.#calling--;
      setTimeout(() => {
        worker.kill();
        this.#serveWaiting();
        this.#fillSoon();
      }, limits.workerRefillMs);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stop.abort();
    clearTimeout(this.#refill);
    this.#waiting.rejectAll(new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, "the function is stopping"));
    while (this.#starts.size > 0 || this.#alive.size > 0) {
      for (const worker of this.#alive) {
        worker.kill();
      }
      await Promise.all([...this.#starts, ...[...this.#alive].map((worker) => worker.gone)]);
    }
    await this.#options.backend.close();
  }

  async #take(invocation: InvocationLimits): Promise<Worker> {
    if (this.#closed || (this.#failedStarts > 0 && this.#alive.size + this.#starts.size === 0)) {
      throw new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, "the function has no worker that starts");
    }
    const worker = this.#calling < this.#options.concurrency ? this.#ready.shift() : undefined;
    if (worker !== undefined) {
      this.#calling++;
      return worker;
    }
    const taken = this.#waiting.wait(invocation);
    this.#fill();
    return taken;
  }

  #serveWaiting(): void {
    while (this.#calling < this.#options.concurrency && this.#waiting.size > 0 && this.#ready.length > 0) {
      this.#calling++;
      this.#waiting.serve(this.#ready.shift() as Worker);
    }
  }

  /** Held back while half the pool is ready: the next hops of a query need the processors first. */
  #fillSoon(): void {
    const isHalfReady = this.#ready.length * 2 >= this.#options.poolSize && this.#waiting.size === 0;
    this.#fillIn(isHalfReady ? limits.workerRefillHeldBackMs : 0);
  }

  #fillIn(delayMs: number): void {
    if (delayMs === 0) {
      this.#fill();
    } else {
      this.#refill ??= setTimeout(() => {
        this.#refill = undefined;
        this.#fill();
      }, delayMs);
    }
  }

  #fill(): void {
    const waitMs = this.#restartAtMs - Date.now();
    if (this.#closed) return;
    if (waitMs > 0) {
      this.#fillIn(waitMs);
      return;
    }
    const callable = Math.max(0, this.#options.concurrency - this.#calling);
    const wanted = this.#options.poolSize + Math.min(this.#waiting.size, callable);
    while (this.#ready.length + this.#starts.size < wanted && this.#starts.size < limits.workerStartsAtOnceMax) {
      const start = this.#start().finally(() => {
        this.#starts.delete(start);
        this.#fillSoon();
      });
      this.#starts.add(start);
    }
  }

  async #start(): Promise<void> {
    try {
      const worker = await this.#options.backend.start(this.#stop.signal);
      this.#failedStarts = 0;
      this.#wasReady = true;
      this.#alive.add(worker);
      void worker.gone.then(() => this.#forget(worker));
      this.#ready.push(worker);
      this.#serveWaiting();
      this.#options.onReady?.();
    } catch (error) {
      this.#startFailed(error);
    }
  }

  /** A worker that dies while it waits counts as one that did not start, so that a crash loop slows down too. */
  #forget(worker: Worker): void {
    this.#alive.delete(worker);
    const index = this.#ready.indexOf(worker);
    if (index !== -1) {
      this.#ready.splice(index, 1);
      if (!this.#closed) {
        this.#startFailed(new Error("a ready worker ended before it was called"));
        this.#fillSoon();
      }
    }
  }

  #startFailed(error: unknown): void {
    if (this.#closed) {
      return;
    }
    const delayMs = Math.min(limits.workerRestartFirstMs * 2 ** this.#failedStarts, limits.workerRestartLongestMs);
    this.#failedStarts++;
    this.#restartAtMs = Date.now() + delayMs;
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    this.#options.log.log("error", "a worker did not start", { reason, failedStarts: this.#failedStarts, delayMs });
    if (this.#ready.length === 0 && this.#starts.size <= 1 && this.#calling === 0) {
      this.#waiting.rejectAll(
        new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, "a worker of the function did not start"),
      );
    }
  }
}
