/** The hops that this sidecar has in hand: from their delivery until what became of them is published. */
import type { Envelope } from "#contracts";
import type { DynamosError } from "#errors";

export interface InHand {
  /** Runs with a signal that aborts with the error that ends the hop. */
  hold<T>(envelope: Envelope, run: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /**
   * Ends those for which there is an error to end them with.
   * Resolves when none of them is in hand any more: then nothing of them is on its way out of here.
   */
  end(errorOf: (envelope: Envelope) => DynamosError | undefined): Promise<void>;
}

interface Hop {
  readonly envelope: Envelope;
  readonly controller: AbortController;
  readonly over: Promise<void>;
}

export function createInHand(): InHand {
  const hops = new Set<Hop>();

  return {
    hold: async (envelope, run) => {
      let settle = () => {};
      const over = new Promise<void>((resolve) => {
        settle = resolve;
      });
      const hop: Hop = { envelope, controller: new AbortController(), over };
      hops.add(hop);
      try {
        return await run(hop.controller.signal);
      } finally {
        hops.delete(hop);
        settle();
      }
    },
    end: async (errorOf) => {
      const ended: Promise<void>[] = [];
      for (const { envelope, controller, over } of hops) {
        const error = errorOf(envelope);
        if (error === undefined) continue;
        controller.abort(error);
        ended.push(over);
      }
      await Promise.all(ended);
    },
  };
}
