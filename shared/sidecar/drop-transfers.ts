/** Ends transfers that no message refers to any more. */
import type { Log } from "#ports/log";
import type { Transfers } from "#ports/transfers";

/**
 * Drops them when the message that refers to them is acknowledged, which is in the turn in which its handler
 * returns: whoever gets it again because its holder died before that must find them.
 */
export function dropAcknowledged(names: readonly string[], transfers: Transfers, log: Log): void {
  if (names.length > 0) setImmediate(() => void dropTransfers(names, transfers, log));
}

/** Never throws: what can't be dropped now expires. */
export async function dropTransfers(names: readonly string[], transfers: Transfers, log: Log): Promise<void> {
  for (const name of names) {
    try {
      await transfers.drop(name);
    } catch (error) {
      log.log("info", "a transfer is left to expire", { name, reason: error instanceof Error ? error.message : "" });
    }
  }
}
