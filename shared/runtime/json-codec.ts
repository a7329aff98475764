/** The JSON form of envelopes and outcomes, as the door uses it; a file of its own in a bundle. */
import { Envelope, Outcome } from "#contracts";
import { envelopeFromJson, outcomeToJson } from "#contracts/json";

export function envelopeFromText(text: string): Uint8Array {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError("an envelope is a JSON object");
  }
  return Envelope.encode(envelopeFromJson(value)).finish();
}

export function outcomeToText(outcome: Uint8Array): string {
  return JSON.stringify(outcomeToJson(Outcome.decode(outcome)));
}
