/** Transfers in this process, common to the connections of all parties. */
import { ErrorCode } from "#contracts";
import { transferName } from "#domain/route";
import { DynamosError } from "#errors";
import type { Clock } from "#ports/clock";
import type { Transfers, TransferTarget, TransferWriter } from "#ports/transfers";

interface Held {
  readonly chunks: Uint8Array[];
  readonly expiresInMs: number;
  stopTimer: () => void;
}

export interface MemoryTransfers extends Transfers {
  /** While nobody is connected, no timer runs. */
  pause(): void;
  resume(): void;
}

export function createMemoryTransfers(clock: Clock): MemoryTransfers {
  const held = new Map<string, Held>();
  let opened = 0;

  function touch(name: string, one: Held): void {
    one.stopTimer();
    one.stopTimer = clock.after(one.expiresInMs, () => void held.delete(name));
  }

  function found(name: string): Held {
    const one = held.get(name);
    if (one === undefined) throw new DynamosError(ErrorCode.TRANSFER_LOST, `there is no transfer ${name}`);
    return one;
  }

  async function open({ from, to, id, expiresInMs }: TransferTarget): Promise<TransferWriter> {
    opened += 1;
    const name = transferName(from, to, id ?? String(opened));
    held.get(name)?.stopTimer();
    held.set(name, { chunks: [], expiresInMs, stopTimer: () => {} });
    touch(name, found(name));
    return {
      name,
      // A copy, as a wire would make one: the writer may reuse its buffer.
      write: async (chunk) => void found(name).chunks.push(new Uint8Array(chunk)),
      end: async () => void found(name),
    };
  }

  async function* read(name: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const one = found(name);
    for (const chunk of one.chunks) {
      if (signal.aborted) throw new DynamosError(ErrorCode.CANCELLED, "nobody reads this transfer any more");
      touch(name, one);
      yield chunk;
    }
  }

  return {
    open,
    read,
    renew: async (name) => touch(name, found(name)),
    pause: () => {
      for (const one of held.values()) one.stopTimer();
    },
    resume: () => {
      for (const [name, one] of held) touch(name, one);
    },
    drop: async (name) => {
      held.get(name)?.stopTimer();
      held.delete(name);
    },
  };
}
