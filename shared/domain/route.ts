/** Queue names, routing keys and message ids: the only place that spells them. */
import type { Chain, Envelope } from "#contracts";

/** Topic exchange for everything; the AMQP adapter declares it. */
export const exchange = "dynamos.steps";
export const deadLetterExchange = "dynamos.dead-letters";

/** In place of `exchange` for a party with a broker user of its own: what others may send to it comes in here. */
export function inletExchange(party: string): string {
  return `${party.toLowerCase()}.in`;
}

/** Where such a party publishes: bound to the inlets of others by the keys of its role alone. */
export function outletExchange(party: string): string {
  return `${party.toLowerCase()}.out`;
}

/** Queue and routing key of what a party could not deliver. */
export function deadLetterQueue(party: string): string {
  return `${party.toLowerCase()}.dead-letters`;
}

/** Where a party's messages wait for their next try. */
export function retryQueue(party: string, delayMs: number): string {
  return `${party.toLowerCase()}.retry.${delayMs}`;
}

/** From where they go back to their own queues. */
export function returnsQueue(party: string): string {
  return `${party.toLowerCase()}.returns`;
}

/** Routing key and queue name of a step at a party; also the function's annotation `topic`. */
export function stepTopic(party: string, step: string): string {
  return `${party.toLowerCase()}.${step}`;
}

/** Routing key and queue name of the parts that a compute provider waits for. */
export function gatherTopic(party: string): string {
  return `${party.toLowerCase()}.gather`;
}

/** Routing key of the replies to one sidecar. */
export function replyTopic(party: string, instance: string): string {
  return `reply.${party.toLowerCase()}.${instance}`;
}

/** The party that gets what an envelope's hop makes, in the case of its name in routing keys where only that is known. */
export function destinationOf({ chain, hop, party, gather, replyTo }: Envelope): string {
  if (chain?.steps[hop + 1] !== undefined) return party;
  return gather?.party ?? replyTo.split(".")[1] ?? "";
}

/** Whether what its hop makes is an answer: neither a step nor a gather gets it. */
export function isForAsker({ chain, hop, gather }: Pick<Envelope, "chain" | "hop" | "gather">): boolean {
  return chain?.steps[hop + 1] === undefined && gather === undefined;
}

/** Name of a transfer's queue, and its routing key. */
export function transferName(from: string, to: string, id: string): string {
  return `transfer.${from.toLowerCase()}.${to.toLowerCase()}.${id}`;
}

/** The party that wrote a transfer, in lower case. */
export function transferWriterOf(name: string): string {
  return name.split(".")[1] ?? "";
}

export const cancelTopic = "control.cancel";

/** Id of the message that brings a chain to a hop: `query/chain/hop/attempt`. */
export function hopId(queryId: string, chain: string, hop: number, attempt: number): string {
  return `${queryId}/${chain || "control"}/${hop}/${attempt}`;
}

/** Id of what a chain sends back to the asker. */
export function replyId(queryId: string, chain: string, attempt: number): string {
  return `${queryId}/${chain || "control"}/reply/${attempt}`;
}

export function gatherChainId(party: string): string {
  return `gather-${party}`;
}

/** Key under which the parts of one gather belong together. */
export function gatherKey(envelope: Envelope, gather: Chain): string {
  return `${envelope.queryId}/${gather.id}/${envelope.attempt}`;
}
