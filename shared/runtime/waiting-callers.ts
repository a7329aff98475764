/** Callers in line for something, first come first served: few, each only until its deadline. */
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { InvocationLimits } from "./step-invoker.ts";

interface Caller<Thing> {
  readonly resolve: (thing: Thing) => void;
  readonly reject: (error: DynamosError) => void;
}

export class WaitingCallers<Thing> {
  readonly #callers = new Set<Caller<Thing>>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#callers.size;
  }

  /** @throws DynamosError OVERLOADED at once; DEADLINE_EXCEEDED, CANCELLED later */
  wait({ deadlineMs, signal }: InvocationLimits): Promise<Thing> {
    if (signal.aborted) {
      return Promise.reject(new DynamosError(ErrorCode.CANCELLED, "nobody waits for this invocation"));
    }
    if (this.#callers.size >= this.#max) {
      return Promise.reject(new DynamosError(ErrorCode.OVERLOADED, "too many invocations wait for a worker"));
    }
    return new Promise<Thing>((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", cancel);
        this.#callers.delete(caller);
      };
      // Out of the line before the promise settles: a thing given to who has left would be lost.
      const caller: Caller<Thing> = {
        resolve: (thing) => {
          leave();
          resolve(thing);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      const cancel = () => caller.reject(new DynamosError(ErrorCode.CANCELLED, "nobody waits for this invocation"));
      const late = () =>
        caller.reject(new DynamosError(ErrorCode.DEADLINE_EXCEEDED, "no worker was free before the deadline"));
      const timer = setTimeout(late, Math.max(0, deadlineMs - Date.now()));
      signal.addEventListener("abort", cancel, { once: true });
      this.#callers.add(caller);
    });
  }

  /** Gives it to the first in line. Only when `size` is not 0. */
  serve(thing: Thing): void {
    const [first] = this.#callers;
    first?.resolve(thing);
  }

  rejectAll(error: DynamosError): void {
    for (const caller of this.#callers) {
      caller.reject(error);
    }
  }
}
