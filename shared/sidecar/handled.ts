/** Messages that were carried out here, or are being: a repeated one has the same id and must not have its effect twice. */

import { limits } from "#domain/limits";
import type { Delivery, Disposition } from "#ports/broker";
import type { Clock } from "#ports/clock";
import { Remembered } from "./remembered.ts";

type Handler = (delivery: Delivery) => Promise<Disposition>;

export interface Handled {
  /** Runs `first` unless the same message ended with `done` here before; one that is in hand is waited for. */
  once(delivery: Delivery, first: Handler, again: Handler): Promise<Disposition>;
}

export function createHandled(clock: Clock): Handled {
  /** Ids of messages that ended with `done`. */
  const done = new Remembered<true>(clock, limits.handledIdsMax);
  const inHand = new Map<string, Promise<Disposition>>();

  async function run(delivery: Delivery, handler: Handler): Promise<Disposition> {
    const { id } = delivery;
    const running = handler(delivery);
    inHand.set(id, running);
    try {
      const disposition = await running;
      if (disposition.kind === "done") done.set(id, true);
      return disposition;
    } finally {
      inHand.delete(id);
    }
  }

  return {
    once: async (delivery, first, again) => {
      for (let twin = inHand.get(delivery.id); twin !== undefined; twin = inHand.get(delivery.id)) {
        await twin.catch(() => {});
      }
      return done.get(delivery.id) ? again(delivery) : run(delivery, first);
    },
  };
}
