/** Makes workers. Backends: spawn-backend.ts; a fork server fits behind the same interface. */
import type { Call, InvocationLimits } from "./step-invoker.ts";

/** A process that waits for one envelope, rehearsed and ready. */
export interface Worker {
  /** Pid and start nonce. */
  readonly id: string;
  readonly pid: number;
  /**
   * Once. The worker stays alive after its reply, so that killing it is off the reply's path.
   * @throws DynamosError WORKER_CRASHED, WORKER_OUT_OF_MEMORY, DEADLINE_EXCEEDED, CANCELLED, and what the call's
   * `chunks` or `take` fail with
   */
  call(call: Call, limits: InvocationLimits): Promise<Uint8Array>;
  /** At once, with everything that it started. Idempotent. */
  kill(): void;
  /** Resolves when the process and its folder are gone, killed or not. */
  readonly gone: Promise<void>;
}

export interface WorkerBackend {
  readonly name: string;
  /** @throws DynamosError FUNCTION_UNAVAILABLE when the worker does not become ready in time, or `stop` is aborted */
  start(stop: AbortSignal): Promise<Worker>;
  /** Resolves when what is common to all workers is gone. The workers are the caller's to kill. */
  close(): Promise<void>;
}
