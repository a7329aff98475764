/**
 * One call of a function whose process runs several hops of a chain. To each hop it looks like a call of its own, so
 * that each is checked, recorded and carried out as if it had come from its queue.
 */
import { type Envelope, ErrorCode, Knowledge } from "#contracts";
import type { Effect } from "#domain/carry-out";
import { fusibleSteps, mayStay } from "#domain/next-hop";
import { DynamosError } from "#errors";
import type { Invocation, InvokeOptions, Invoker } from "#ports/invoker";
import type { FusedProcess, HopTools } from "./hop.ts";

export interface FusedCall extends FusedProcess {
  /** In place of the party's: the first hop begins the call, each later one waits for its next outcome. */
  readonly invoker: Invoker;
  /**
   * @param effects of the hop that ended last
   * @returns the next hop's envelope, when the process has gone on with just that; else it is ended, and the effects are to be published
   */
  next(effects: readonly Effect[]): Envelope | undefined;
  /** Nobody takes anything of it any more. */
  end(): void;
}

/** @returns undefined: the function's operator lets it go on with no step that follows here */
export function openFusedCall(envelope: Envelope, tools: HopTools): FusedCall | undefined {
  const { cache, invoker } = tools;
  const goesOnWith = fusibleSteps(envelope, tools.functionFor(envelope.step)?.fuses ?? []);
  if (goesOnWith.length === 0) return undefined;
  const given = knowledgeOf(envelope);
  const call = new RunningCall(invoker, goesOnWith.length);

  function knowledgeOf(one: Envelope): Uint8Array {
    return Knowledge.encode(cache.attachedTo(one)).finish();
  }

  /** What runs there now is what the queue would have brought, knowledge and all. */
  function isSame(next: Envelope): boolean {
    const [input] = next.inputs;
    const isExpected = next.party === tools.party && next.step === goesOnWith[next.hop - envelope.hop - 1];
    const isWhole = input?.payload !== undefined && mayStay(input.payload);
    return isExpected && isWhole && Buffer.compare(knowledgeOf(next), given) === 0;
  }

  return {
    goesOnWith,
    get isGoingOn() {
      return call.isGoingOn;
    },
    invoker: {
      steps: () => invoker.steps(),
      close: () => invoker.close(),
      invoke: (name, invocation, options) => call.outcome(name, invocation, options),
    },
    next: (effects) => {
      const [effect] = effects;
      const next = effects.length === 1 && effect?.kind === "send" ? effect.envelope : undefined;
      if (call.isGoingOn && next !== undefined && isSame(next)) return next;
      call.end();
      return undefined;
    },
    end: () => call.end(),
  };
}

class RunningCall {
  readonly #invoker: Invoker;
  readonly #controller = new AbortController();
  /** How often it may still hand on. */
  #left: number;
  #last: Promise<Uint8Array> | undefined;
  #take: Invocation["take"] = async () => {};
  #build = "";
  #handOn: (outcome: Uint8Array) => void = () => {};
  #reader: { readOn: () => void; stop: (error: DynamosError) => void } | undefined;
  #stopListening: () => void = () => {};
  /** It has handed on an outcome, and nobody has asked for the next one yet. */
  isGoingOn = false;

  constructor(invoker: Invoker, handsOnMax: number) {
    this.#invoker = invoker;
    this.#left = handsOnMax;
  }

  /** The next one. Each hop has a signal and a taker of its own; the call's deadline is the first one's. */
  outcome(name: string, invocation: Invocation, options: InvokeOptions): Promise<Uint8Array> {
    this.#take = invocation.take;
    this.#follow(options.signal);
    const handedOn = new Promise<Uint8Array>((resolve) => {
      this.#handOn = resolve;
    });
    if (this.#last === undefined) {
      this.#last = this.#begin(name, invocation, options);
      // Nobody may be waiting for it when it fails.
      this.#last.catch(() => {});
    } else {
      invocation.answeredBy?.(this.#build);
      this.isGoingOn = false;
      this.#reader?.readOn();
    }
    return Promise.race([handedOn, this.#last]);
  }

  end(): void {
    this.#stopListening();
    this.isGoingOn = false;
    const ended = new DynamosError(ErrorCode.CANCELLED, "the chain goes on elsewhere");
    this.#controller.abort(ended);
    this.#reader?.stop(ended);
  }

  #begin(name: string, invocation: Invocation, { deadlineMs }: InvokeOptions): Promise<Uint8Array> {
    const call: Invocation = {
      ...invocation,
      take: (bytes) => this.#take(bytes),
      handedOn: (outcome) => this.#handedOn(name, outcome),
      answeredBy: (build) => {
        this.#build = build;
        invocation.answeredBy?.(build);
      },
    };
    return this.#invoker.invoke(name, call, { deadlineMs, signal: this.#controller.signal });
  }

  /** Resolves when the hop that it belongs to is carried out: only then is there somebody who takes the next one's. */
  #handedOn(name: string, outcome: Uint8Array): Promise<void> {
    if (this.#controller.signal.aborted) return Promise.reject(this.#controller.signal.reason);
    if (this.#left === 0 || this.isGoingOn) {
      const message = `function ${name} hands on more often than it may`;
      return Promise.reject(new DynamosError(ErrorCode.INTERNAL, message));
    }
    this.#left -= 1;
    this.isGoingOn = true;
    this.#handOn(outcome);
    return new Promise((readOn, stop) => {
      this.#reader = { readOn, stop };
    });
  }

  #follow(signal: AbortSignal): void {
    this.#stopListening();
    const abort = () => this.#controller.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    this.#stopListening = () => signal.removeEventListener("abort", abort);
  }
}
