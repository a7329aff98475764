/** Runs a step for the door: in a worker that is used once, or in this process. */

export interface InvocationLimits {
  /** Absolute, milliseconds since the epoch. */
  readonly deadlineMs: number;
  /** Aborted when nobody waits for the outcome any more. */
  readonly signal: AbortSignal;
}

export interface Call {
  readonly envelope: Uint8Array;
  /** Encoded Chunks of the inputs' tables that are not inside the envelope, in the order of the inputs. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Gets the encoded Chunks of the outcome's table; the next one comes when it resolves. */
  readonly take: (chunk: Uint8Array) => Promise<void>;
  /** Gets the outcome of each step but the last. Absent: nobody takes one, so no further step runs. */
  readonly handOn?: (outcome: Uint8Array) => Promise<void>;
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
   * OVERLOADED, FUNCTION_UNAVAILABLE, and what `chunks` or `take` fail with
   */
  invoke(call: Call, limits: InvocationLimits): Promise<Invocation>;
  /** Resolves when nothing of it is left. */
  close(): Promise<void>;
}
