/**
 * The keys of approvals as files: the enforcer's own private key (a JWK), and the public ones that
 * everybody else knows (a JWKS). RFC 7517 and RFC 8037; Ed25519 alone.
 */
import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { limits } from "#domain/limits";

export interface SigningKey {
  readonly kid: string;
  readonly key: KeyObject;
}

/** By `kid`: during a change of keys there are two. */
export type ApprovalKeys = ReadonlyMap<string, KeyObject>;

/** Where OpenFaaS mounts the secrets of these names. */
export const approvalKeyFile = "/var/openfaas/secrets/approval-key";
export const approvalKeysFile = "/var/openfaas/secrets/approval-keys";

/** @throws Error with a sentence for whoever deploys */
export async function readSigningKey(file: string): Promise<SigningKey> {
  const what = `the key that signs approvals, ${file},`;
  const jwk = parsed(what, text(what, file));
  if (!isEd25519(jwk) || typeof jwk.d !== "string" || !isKid(jwk.kid)) {
    throw new Error(`${what} must be a private JWK: kty OKP, crv Ed25519, with d and kid`);
  }
  return { kid: jwk.kid, key: keyOf(what, () => createPrivateKey({ key: { ...jwk }, format: "jwk" })) };
}

/** What was read last. Forked workers have it from their parent: to make a key object of a JWK takes longer than to read it. */
let last: { readonly text: string; readonly keys: ApprovalKeys } | undefined;

/** @returns what the file holds now. @throws Error with a sentence for whoever deploys */
export async function readApprovalKeys(file: string): Promise<ApprovalKeys> {
  const what = `the public keys of approvals, ${file},`;
  const json = text(what, file);
  if (last?.text !== json) last = { text: json, keys: approvalKeysOf(parsed(what, json), what) };
  return last.keys;
}

/** @param jwks `{"keys": […]}`. @throws Error with a sentence for whoever deploys */
export function approvalKeysOf(jwks: unknown, what = "the public keys of approvals"): ApprovalKeys {
  const list = (jwks as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(list) || list.length === 0 || list.length > limits.approvalKeysMax) {
    throw new Error(`${what} must be a JWKS of 1 to ${limits.approvalKeysMax} keys`);
  }
  const keys = new Map<string, KeyObject>();
  for (const [index, jwk] of list.entries()) {
    const which = `${what} key ${index + 1}`;
    if (!isEd25519(jwk) || !isKid(jwk.kid)) throw new Error(`${which}: must be of kty OKP and crv Ed25519, with kid`);
    if (jwk.d !== undefined) throw new Error(`${which}: is a private key, which is for the policy-enforcer alone`);
    if (keys.has(jwk.kid)) throw new Error(`${which}: has the kid of another`);
    keys.set(
      jwk.kid,
      keyOf(which, () => createPublicKey({ key: { ...jwk }, format: "jwk" })),
    );
  }
  return keys;
}

type Ed25519Jwk = Omit<JsonWebKey, "kid"> & { readonly kid?: unknown };

function isEd25519(jwk: unknown): jwk is Ed25519Jwk {
  const { kty, crv, x } = (jwk ?? {}) as { kty?: unknown; crv?: unknown; x?: unknown };
  return kty === "OKP" && crv === "Ed25519" && typeof x === "string";
}

function isKid(kid: unknown): kid is string {
  return typeof kid === "string" && kid !== "";
}

/** The cause is not kept: what it quotes is the file, and that may be a secret. */
function parsed(what: string, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new Error(`${what} is not JSON`);
  }
}

function keyOf(what: string, create: () => KeyObject): KeyObject {
  try {
    return create();
  } catch {
    throw new Error(`${what} is no key of Ed25519`);
  }
}

/** Small, and nothing else is to be done meanwhile: the way over Node's threads takes many times as long. */
function text(what: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`${what} can't be read (${(error as NodeJS.ErrnoException).code ?? "unknown reason"})`);
  }
}
