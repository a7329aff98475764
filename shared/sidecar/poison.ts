/** Messages that nobody can carry out: put aside at once, and their asker told where they say who that is. */
import { Envelope, ErrorCode, type Failure, Reply } from "#contracts";
import { failureEffects } from "#domain/carry-out";
import { limits } from "#domain/limits";
import { tooLarge } from "#domain/message-size";
import { hopId } from "#domain/route";
import { labelOf, toDynamosError } from "#errors";
import type { Delivery, Disposition, MessageType } from "#ports/broker";
import type { Log } from "#ports/log";
import type { Outbox } from "./outbox.ts";

export interface Poison {
  readonly code: ErrorCode;
  readonly message: string;
}

export interface PoisonTools {
  readonly party: string;
  readonly outbox: Outbox;
  readonly log: Log;
}

/** What a queue of steps or parts delivered, or what is wrong with it. */
export function readEnvelope(delivery: Delivery): Envelope | Poison {
  const envelope = decodeEnvelope(delivery);
  if (isPoison(envelope)) return envelope;
  // Its id is how a hop that was run is known: one that comes again under another would be run again.
  const id = hopId(envelope.queryId, envelope.chain?.id ?? "", envelope.hop, envelope.attempt);
  return delivery.id === id
    ? envelope
    : invalid(`a message whose id is not that of its hop, ${id.slice(0, limits.hopIdCharsMax)}`);
}

/** The same whatever its id is: for a look at who sent it. Decoded once, however often it is asked for. */
export function decodeEnvelope(delivery: Delivery): Envelope | Poison {
  const known = envelopes.get(delivery);
  if (known !== undefined) return known;
  const read = envelopeOf(delivery);
  envelopes.set(delivery, read);
  return read;
}

const envelopes = new WeakMap<Delivery, Envelope | Poison>();
const replies = new WeakMap<Delivery, Reply | Poison>();

function envelopeOf(delivery: Delivery): Envelope | Poison {
  const unfit = unfitFor("envelope", delivery);
  if (unfit !== undefined) return unfit;
  const envelope = decoded(Envelope, delivery.body);
  if (envelope === undefined) return invalid("not an envelope");
  const lacks = [
    ...(envelope.queryId === "" ? ["query id"] : []),
    ...(envelope.step === "" ? ["step"] : []),
    ...(envelope.chain === undefined ? ["chain"] : []),
  ];
  return lacks.length === 0 ? envelope : invalid(`an envelope without ${lacks.join(", ")}`);
}

/** What a reply queue delivered, or what is wrong with it. */
export function readReply(delivery: Delivery): Reply | Poison {
  const known = replies.get(delivery);
  if (known !== undefined) return known;
  const read = unfitFor("reply", delivery) ?? decoded(Reply, delivery.body) ?? invalid("not a reply");
  replies.set(delivery, read);
  return read;
}

export function isPoison(read: Envelope | Reply | Poison): read is Poison {
  return "code" in read;
}

export function reasonOf({ code, message }: Poison): string {
  return `${labelOf(code)}: ${message}`;
}

/**
 * To the dead letters. Only the asker is told, not the gather that may wait for it: what is wrong here could be wrong
 * with a part that is made of it.
 */
export async function putAside(delivery: Delivery, poison: Poison, tools: PoisonTools): Promise<Disposition> {
  const { party, outbox, log } = tools;
  const reason = reasonOf(poison);
  log.log("warn", "a message is put aside", { queryId: delivery.queryId, queue: delivery.queue, reason });
  const asked = askerOf(delivery, party);
  if (asked === undefined) return { kind: "dead-letter", reason };
  const failure: Failure = { ...poison, party, step: asked.step };
  try {
    await outbox.publish(failureEffects(asked, failure).filter(({ kind }) => kind === "reply"));
  } catch (error) {
    const { label, message } = toDynamosError(error);
    log.log("error", "the asker of a message that is put aside could not be told", { code: label, reason: message });
    if (delivery.tries < limits.triesMax) {
      return { kind: "retry", afterMs: limits.retryLongestMs, reason: `${label}: ${message}` };
    }
  }
  return { kind: "dead-letter", reason };
}

/** What could be read of it, when that says where its replies go. */
function askerOf({ body, queryId }: Delivery, party: string): Envelope | undefined {
  const envelope = decoded(Envelope, body);
  if (envelope === undefined || !/^reply\.[^.]+\../.test(envelope.replyTo)) return undefined;
  return { ...envelope, queryId: envelope.queryId || queryId, party: envelope.party || party };
}

function unfitFor(wanted: MessageType, { type, body }: Delivery): Poison | undefined {
  if (type !== wanted) return invalid(`a message of the type ${type}, where ${wanted} is taken`);
  const message = tooLarge(body);
  return message === undefined ? undefined : { code: ErrorCode.BODY_TOO_LARGE, message };
}

function decoded<T>(type: { decode(body: Uint8Array): T }, body: Uint8Array): T | undefined {
  try {
    return type.decode(body);
  } catch {
    return undefined;
  }
}

function invalid(message: string): Poison {
  return { code: ErrorCode.ENVELOPE_INVALID, message };
}
