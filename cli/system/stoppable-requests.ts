/** A sidecar whose open requests can be ended by name, so that whoever asked hears of a stop instead of losing the line. */
import { setTimeout as wait } from "node:timers/promises";
import type { Envelope, Reply } from "#contracts";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { Sidecar } from "#sidecar/start-sidecar";

export interface StoppableRequests {
  readonly sidecar: Sidecar;
  /** Takes no more; resolves when the open requests have ended by themselves, or after a while. */
  drained(waitMsMax: number): Promise<void>;
  /** Ends every open request with CANCELLED, takes no more, and tells all parties to drop the queries. */
  end(): Promise<void>;
}

export function stoppableRequests(sidecar: Sidecar): StoppableRequests {
  const open = new Map<string, AbortController>();
  let stopping = false;
  let onEmpty = () => {};

  async function* request(envelope: Envelope, signal: AbortSignal): AsyncIterable<Reply> {
    if (stopping) {
      throw new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, "this sidecar is stopping and takes no more queries");
    }
    const ended = new AbortController();
    open.set(envelope.queryId, ended);
    try {
      yield* sidecar.request(envelope, AbortSignal.any([signal, ended.signal]));
      if (ended.signal.aborted) throw stopped();
    } finally {
      if (open.get(envelope.queryId) === ended) open.delete(envelope.queryId);
      if (open.size === 0) onEmpty();
    }
  }

  return {
    sidecar: { ...sidecar, request },
    drained: async (waitMsMax) => {
      stopping = true;
      if (open.size === 0) return;
      const empty = new Promise<void>((resolve) => {
        onEmpty = resolve;
      });
      await Promise.race([empty, wait(waitMsMax, undefined, { ref: false })]);
    },
    end: async () => {
      stopping = true;
      const running = [...open];
      for (const [, ended] of running) ended.abort();
      // Best effort: what still runs somewhere ends by its deadline.
      await Promise.allSettled(running.map(([queryId]) => sidecar.cancel(queryId)));
    },
  };
}

function stopped(): DynamosError {
  return new DynamosError(ErrorCode.CANCELLED, "the system is stopping");
}
