/** SHA-256 and Ed25519 (RFC 8032) as the records use them, by Node. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import type { Sealer } from "#domain/audit/chain";

export interface RecordKey extends Sealer {
  /** PKCS #8 in PEM. */
  readonly privatePem: string;
}

export function recordDigest(text: string | Uint8Array): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A new key pair: read from its text, as the export of a key object that was generated may hang (approval/new-key.ts). */
export function makeRecordKey(): RecordKey {
  const publicKeyEncoding = { type: "spki", format: "pem" } as const;
  const privateKeyEncoding = { type: "pkcs8", format: "pem" } as const;
  return readRecordKey(generateKeyPairSync("ed25519", { publicKeyEncoding, privateKeyEncoding }).privateKey);
}

/** @throws Error when it is not an Ed25519 private key in PEM */
export function readRecordKey(pem: string): RecordKey {
  return keyOf(createPrivateKey(pem));
}

/** @param publicKey `x` of the JWK. @returns false also for what is no key or no signature */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  const bytes = Buffer.from(signature, "base64url");
  // Only the one spelling: what can be written in two ways could be altered unseen.
  if (bytes.toString("base64url") !== signature) return false;
  const key = publicKeyOf(publicKey);
  return key !== undefined && verify(null, Buffer.from(text), key, bytes);
}

/** @param text a public key as JWK or PEM. @returns `x` of the JWK. @throws Error when it is neither */
export function readPublicKey(text: string): { publicKey: string; party: string } {
  const jwk = text.trimStart().startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {};
  const key = "kty" in jwk ? createPublicKey({ key: jwk, format: "jwk" }) : createPublicKey(text);
  return { publicKey: rawOf(key), party: typeof jwk.kid === "string" ? jwk.kid : "" };
}

function keyOf(privateKey: KeyObject): RecordKey {
  if (privateKey.asymmetricKeyType !== "ed25519") throw new Error("not an Ed25519 key");
  return {
    privatePem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicKey: rawOf(createPublicKey(privateKey)),
    digest: recordDigest,
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString("base64url"),
  };
}

function rawOf(key: KeyObject): string {
  const { crv, x } = key.export({ format: "jwk" });
  if (crv !== "Ed25519" || x === undefined) throw new Error("not an Ed25519 key");
  return x;
}

const known = new Map<string, KeyObject | undefined>();
const knownMax = 256;

/** Remembered: a file has one key for a million lines. */
function publicKeyOf(x: string): KeyObject | undefined {
  if (!known.has(x)) {
    if (known.size >= knownMax) known.clear();
    known.set(x, imported(x));
  }
  return known.get(x);
}

function imported(x: string): KeyObject | undefined {
  try {
    return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  } catch {
    return undefined;
  }
}
