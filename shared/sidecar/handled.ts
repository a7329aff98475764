/** Messages that were carried out here, or are being: a repeated one has the same id and must not have its effect twice. */

import { limits } from "#domain/limits";
import type { Delivery, Disposition } from "#ports/broker";
import type { Clock } from "#ports/clock";

type Handler = (delivery: Delivery) => Promise<Disposition>;

export interface Handled {
  /** Runs `first` unless the same message ended with `done` here before; one that is in hand is waited for. */
  once(delivery: Delivery, first: Handler, again: Handler): Promise<Disposition>;
}

export function createHandled(clock: Clock): Handled {
  /** Id to the time at which it may be forgotten: no message outlives the longest deadline. */
  const doneUntilMs = new Map<string, number>();
  const inHand = new Map<string, Promise<Disposition>>();

  function forgetOld(): void {
    const now = clock.now();
    for (const [id, until] of doneUntilMs) {
      if (until > now && doneUntilMs.size <= limits.handledIdsMax) break;
      doneUntilMs.delete(id);
    }
  }

  async function run(delivery: Delivery, handler: Handler): Promise<Disposition> {
    const { id } = delivery;
    const running = handler(delivery);
    inHand.set(id, running);
    try {
      const disposition = await running;
      if (disposition.kind === "done") doneUntilMs.set(id, clock.now() + limits.queryTimeoutMsMax);
      return disposition;
    } finally {
      inHand.delete(id);
    }
  }

  return {
    once: async (delivery, first, again) => {
      forgetOld();
      for (let twin = inHand.get(delivery.id); twin !== undefined; twin = inHand.get(delivery.id)) {
        await twin.catch(() => {});
      }
      return doneUntilMs.has(delivery.id) ? again(delivery) : run(delivery, first);
    },
  };
}
