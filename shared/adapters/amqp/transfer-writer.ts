/** Chunks on their way: several at once, in their order also when the connection is lost among them. */
import { limits } from "#domain/limits";
import type { TransferWriter } from "#ports/transfers";

interface Sent {
  readonly index: number;
  readonly chunk: Uint8Array;
  readonly confirmed: Promise<boolean>;
}

/** @param publish resolves when the broker has confirmed the chunk. A chunk may come to be there twice, never out of order. */
export function createTransferWriter(
  name: string,
  publish: (index: number, chunk: Uint8Array) => Promise<void>,
): TransferWriter {
  let count = 0;
  let unconfirmed: Sent[] = [];

  async function confirm(left: number): Promise<void> {
    while (unconfirmed.length > left) {
      if (await unconfirmed[0]?.confirmed) unconfirmed.shift();
      else await sendAgain();
    }
  }

  /** One after the other: what follows a chunk that is not there must not come before it. */
  async function sendAgain(): Promise<void> {
    const lost = unconfirmed;
    await Promise.all(lost.map(({ confirmed }) => confirmed));
    unconfirmed = [];
    for (const { index, chunk } of lost) await publish(index, chunk);
  }

  return {
    name,
    write: async (chunk) => {
      const index = count++;
      const confirmed = publish(index, chunk).then(
        () => true,
        () => false,
      );
      unconfirmed.push({ index, chunk, confirmed });
      await confirm(limits.transferAheadMax - 1);
    },
    end: () => confirm(0),
  };
}
