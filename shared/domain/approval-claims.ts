/** What an approval's signature is over: every field but the signature itself. */
import type { Approval } from "#contracts";
import { canonicalJson } from "./canonical-json.ts";

/** The verifier rebuilds this from the message that it got, so nothing outside the signature is believed. */
export function approvalClaims({ jws: _, ...claims }: Approval): string {
  return canonicalJson(claims);
}
