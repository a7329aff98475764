/** Handlers that see only what comes from whom it says, where each party has a broker user of its own. */
import { createSenderCheck } from "#domain/sender-check";
import type { DynamosError } from "#errors";
import type { Delivery, Disposition } from "#ports/broker";
import type { Log } from "#ports/log";
import { decodeEnvelope, isPoison, readReply } from "./poison.ts";

type Handler = (delivery: Delivery) => Promise<Disposition>;

export interface Vouched {
  steps(handler: Handler): Handler;
  parts(handler: Handler): Handler;
  replies(handler: Handler): Handler;
}

export interface VouchedOptions {
  readonly party: string;
  readonly exchangeParty: string;
  readonly log: Log;
}

/** Where the broker does not say who sent a message. */
export const unvouched: Vouched = {
  steps: (handler) => handler,
  parts: (handler) => handler,
  replies: (handler) => handler,
};

/** What can't be read is the handler's to put aside, but of a step's queue only from who may send there. */
export function createVouched({ party, exchangeParty, log }: VouchedOptions): Vouched {
  const check = createSenderCheck(exchangeParty);

  function only(handler: Handler, refusalOf: (delivery: Delivery) => DynamosError | undefined): Handler {
    return async (delivery) => {
      const refusal = refusalOf(delivery);
      if (refusal === undefined) return handler(delivery);
      const { label, message } = refusal;
      const { queryId, queue } = delivery;
      log.log("error", "a message in another's name is put aside", { queryId, queue, code: label, reason: message });
      // Nobody is told: what it says of a query and its asker is no more to be believed than the rest of it.
      return { kind: "dead-letter", reason: `${label}: ${message}` };
    };
  }

  return {
    steps: (handler) =>
      only(handler, (delivery) => {
        const read = decodeEnvelope(delivery);
        return check.toStep(delivery, party) ?? (isPoison(read) ? undefined : check.hop(delivery, read));
      }),
    parts: (handler) =>
      only(handler, (delivery) => {
        const read = decodeEnvelope(delivery);
        return isPoison(read) ? undefined : check.part(delivery, read);
      }),
    replies: (handler) =>
      only(handler, (delivery) => {
        if (delivery.type === "control") return check.cancel(delivery);
        const read = readReply(delivery);
        return isPoison(read) ? undefined : check.reply(delivery, read);
      }),
  };
}
