/** Gives the death of a worker its name. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";

export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

export interface WorkerEnd extends ProcessEnd {
  /** The last of what it wrote to standard error. */
  readonly lastWords: string;
}

/** V8 prints this and aborts: SIGABRT, or exit code 134 where a shell stands between. */
const heapExhausted = /heap out of memory|Reached heap limit|invalid (array|table) size/i;

export function nameEnd(end: WorkerEnd): DynamosError {
  if (heapExhausted.test(end.lastWords)) {
    return new DynamosError(ErrorCode.WORKER_OUT_OF_MEMORY, "the worker reached its heap limit");
  }
  const how = end.signal === null ? `with exit code ${end.exitCode ?? "unknown"}` : `by signal ${end.signal}`;
  return new DynamosError(ErrorCode.WORKER_CRASHED, `the worker ended ${how}`);
}
