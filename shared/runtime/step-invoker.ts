/** Runs a step for the door: in a worker that is used once, or in this process. */

export interface InvocationLimits {
  /** Absolute, milliseconds since the epoch. */
  readonly deadlineMs: number;
  /** Aborted when nobody waits for the outcome any more. */
  readonly signal: AbortSignal;
}

export interface Invocation {
  /** An Outcome in protobuf. */
  readonly outcome: Uint8Array;
  /** Pid and start nonce of the process that ran it; never twice the same for a single-use step. */
  readonly worker: string;
}

export interface StepInvoker {
  isReady(): boolean;
  /**
   * @throws DynamosError WORKER_CRASHED, WORKER_OUT_OF_MEMORY, DEADLINE_EXCEEDED, CANCELLED,
   * OVERLOADED, FUNCTION_UNAVAILABLE
   */
  invoke(envelope: Uint8Array, limits: InvocationLimits): Promise<Invocation>;
  /** Resolves when nothing of it is left. */
  close(): Promise<void>;
}
