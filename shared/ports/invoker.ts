/** Calls the functions of a party. Twins: adapters/openfaas (its gateway over HTTP), adapters/memory (in this process). */
import type { Chunk } from "#contracts";

/** A function that serves a step, as deployed. */
export interface DeployedStep {
  /** Of the function, e.g. `uva-sql-query`. */
  readonly name: string;
  /** Its annotation `topic`, e.g. `uva.sql-query`: the queue that it serves. */
  readonly topic: string;
  /** Its annotation `com.dynamos.concurrency`: invocations at once. */
  readonly concurrency: number;
  /** Its annotation `com.dynamos.fuse`: steps that its process may go on with, where they follow in a chain. Absent: none. */
  readonly fuses?: readonly string[];
}

export interface Invocation {
  /** Protobuf. */
  readonly envelope: Uint8Array;
  /** Of the inputs' transfers, in the order of the inputs. */
  readonly chunks?: AsyncIterable<Chunk>;
  /** Gets the bytes of the outcome's table where it is too large to be inside; the next come when it resolves. */
  readonly take: (bytes: Uint8Array) => Promise<void>;
  /**
   * Gets the outcome of each step that was not the process's last one, where the envelope lets it go on with others.
   * What follows is read when it resolves. Absent: the envelope lets it go on with none.
   */
  readonly handedOn?: (outcome: Uint8Array) => Promise<void>;
  /** Told which build of the function answers, where that says it: SHA-256 in hexadecimal. */
  readonly answeredBy?: (build: string) => void;
}

export interface InvokeOptions {
  /** Absolute; the call is given up then. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

export interface Invoker {
  /** The functions that carry a `topic`. @throws DynamosError FUNCTION_UNAVAILABLE */
  steps(): Promise<DeployedStep[]>;
  /**
   * One envelope in, one outcome out (the last, where the process went on with further steps), both as protobuf bytes, and large tables beside them. A function that answers with a
   * failure still answers with an outcome.
   * @throws DynamosError FUNCTION_UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, OVERLOADED; where the
   * function is another program: BODY_TOO_LARGE, RESULT_TOO_LARGE, INTERNAL (no outcome); and what
   * `chunks` or `take` fail with
   */
  invoke(name: string, invocation: Invocation, options: InvokeOptions): Promise<Uint8Array>;
  close(): Promise<void>;
}
