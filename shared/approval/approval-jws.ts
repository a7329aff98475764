/**
 * The form of a signature: compact JWS (RFC 7515) with Ed25519 (RFC 8037), and one header alone.
 *
 * By node:crypto and not by jose: each worker of sql-query verifies one approval in its life, and there
 * the first verification takes 0.8 ms here and 24 ms in jose (bundled, Node 20, a busy machine), which
 * loads the Web Crypto API for it. That jose reads and writes the same is tested.
 */
import { type KeyObject, sign, verify } from "node:crypto";
import { canonicalJson } from "#domain/canonical-json";
import type { ApprovalKeys, SigningKey } from "./approval-keys.ts";
import { computedEachTime, type VerifiedSignatures } from "./verified-signatures.ts";

const type = "approval+jws";
/** Ed25519's signature is of 64 bytes. */
const signatureForm = /^[A-Za-z0-9_-]{86}$/;

export function signedJws(payload: string, { kid, key }: SigningKey): string {
  const signed = `${encoded(headerOf(kid))}.${encoded(payload)}`;
  return `${signed}.${sign(null, Buffer.from(signed), key).toString("base64url")}`;
}

/** @returns what is wrong with it, as the end of a sentence about an approval; undefined: a known key signed this payload */
export function jwsProblem(
  jws: string,
  payload: string,
  keys: ApprovalKeys,
  verified: VerifiedSignatures = computedEachTime,
): string | undefined {
  if (jws === "") return "is not signed";
  const [header = "", body = "", signature = "", ...more] = jws.split(".");
  if (more.length > 0 || !signatureForm.test(signature)) return "is not a compact JWS with a signature of Ed25519";
  const found = keyOf(header, keys);
  if (typeof found === "string") return found;
  if (body !== encoded(payload)) return "is not what was signed";
  const isSigned = () => verify(null, Buffer.from(`${header}.${body}`), found, Buffer.from(signature, "base64url"));
  return verified.holds(jws, found, isSigned) ? undefined : "is signed by somebody else";
}

/** The header is compared as a whole, so that it can't ask for anything: no other algorithm, no `crit`, no key of its own. */
function keyOf(header: string, keys: ApprovalKeys): KeyObject | string {
  const kid = kidOf(header);
  if (kid === undefined || header !== encoded(headerOf(kid))) {
    return `has another header than alg EdDSA, kid and typ ${type}`;
  }
  return keys.get(kid) ?? "is signed with a key that is not known here";
}

function kidOf(header: string): string | undefined {
  try {
    const { kid } = JSON.parse(Buffer.from(header, "base64url").toString()) as { kid?: unknown };
    return typeof kid === "string" ? kid : undefined;
  } catch {
    return undefined;
  }
}

function headerOf(kid: string): string {
  return canonicalJson({ alg: "EdDSA", kid, typ: type });
}

function encoded(text: string): string {
  return Buffer.from(text).toString("base64url");
}
