/**
 * Whether a message comes from whom it says. The broker vouches for the sender alone; what the
 * sender writes into the message is its own word. Each check gives the error that refuses the
 * message, or undefined: it may be carried out. What is refused has no effect at all: its asker
 * is not told and the transfers that it names are not dropped, as both may be another's.
 */
import { type Envelope, ErrorCode, type Reply, Role } from "#contracts";
import { DynamosError } from "#errors";
import { transferWriterOf } from "./route.ts";
import { replyTransfers, transferNames } from "./transferred.ts";

/** The part of a delivery that counts here. */
export interface Vouched {
  /** The party's broker user; undefined: the sender did not let the broker vouch for it. */
  readonly sender?: string;
}

export interface SenderCheck {
  /** Of a step's queue, whatever it holds: the party itself or the exchange. */
  toStep(delivery: Vouched, party: string): DynamosError | undefined;
  /** Of a step's queue: the party itself, or the exchange to start a chain. */
  hop(delivery: Vouched, envelope: Envelope): DynamosError | undefined;
  /** Of a gather's queue: the provider that the part is of, and nothing of others inside. */
  part(delivery: Vouched, envelope: Envelope): DynamosError | undefined;
  /** Of a reply queue: the party that the chain ran at, or the exchange; a result only from the party. */
  reply(delivery: Vouched, reply: Reply): DynamosError | undefined;
  /** Only the exchange cancels. */
  cancel(delivery: Vouched): DynamosError | undefined;
}

export function createSenderCheck(exchangeParty: string): SenderCheck {
  const exchange = exchangeParty.toLowerCase();

  function startsChain({ hop, chain, party, inputs }: Envelope): boolean {
    return (
      hop === 0 &&
      chain !== undefined &&
      chain.role !== Role.COMPUTE_PROVIDER &&
      (chain.id === "" || same(chain.party, party)) &&
      transferNames(inputs).length === 0
    );
  }

  return {
    toStep: ({ sender }, party) =>
      same(sender, party) || sender === exchange ? undefined : refused(`a message to a step of ${party}`, sender),
    hop: ({ sender }, envelope) => {
      const { party, step, hop } = envelope;
      if (same(sender, party) || (sender === exchange && startsChain(envelope))) return undefined;
      return refused(`hop ${hop} (${step}) of ${party}`, sender);
    },
    part: ({ sender }, { party, inputs, approvals }) => {
      if (!same(sender, party)) return refused(`a part of ${party}`, sender);
      const others = [
        ...inputs.map(({ provider }) => provider),
        ...approvals.map(({ provider }) => provider),
        ...transferNames(inputs).map(transferWriterOf),
      ].find((name) => !same(name, party));
      return others === undefined ? undefined : refused(`a part of ${party} with what is ${others}'s`, sender);
    },
    reply: ({ sender }, reply) => {
      const { party, content } = reply;
      const isResult = content?.$case === "result";
      const foreign = replyTransfers(reply)
        .map(transferWriterOf)
        .find((name) => name !== sender);
      if (foreign !== undefined) return refused(`a reply of ${party} with a table of ${foreign}`, sender);
      if (same(sender, party) && content?.$case !== "plan") return undefined;
      if (sender === exchange && !isResult) return undefined;
      return refused(`a reply of ${party} (${content?.$case ?? "empty"})`, sender);
    },
    cancel: ({ sender }) => (sender === exchange ? undefined : refused("a cancel", sender)),
  };
}

function same(sender: string | undefined, party: string): boolean {
  return sender !== undefined && sender !== "" && sender.toLowerCase() === party.toLowerCase();
}

function refused(what: string, sender: string | undefined): DynamosError {
  const from = sender === undefined ? "a sender whom the broker does not vouch for" : `the broker user ${sender}`;
  return new DynamosError(ErrorCode.ENVELOPE_INVALID, `${what} came from ${from}`);
}
