/**
 * Envelope and outcome in protobuf's JSON form, for people with curl. Loaded by the door on
 * the first JSON request only. Bytes are base64, enums their names, 64-bit numbers numbers.
 */
import type { Envelope, Outcome } from "./gen/dynamos/v1/envelope.ts";
import { Envelope as EnvelopeCodec, Outcome as OutcomeCodec } from "./gen-json/dynamos/v1/envelope.ts";

// The two generations differ only in the identity of their enums, whose numbers are the same.
export function envelopeFromJson(value: unknown): Envelope {
  return EnvelopeCodec.fromJSON(value) as unknown as Envelope;
}

export function outcomeToJson(outcome: Outcome): unknown {
  return OutcomeCodec.toJSON(outcome as unknown as OutcomeCodec);
}
