import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";

/**
 * A new Ed25519 private key, which may be exported. One that `generateKeyPairSync` returns as an object may not, up to
 * Node 20: its export holds a lock and makes strings; when V8 collects garbage for them, the job that made the key is
 * destroyed and waits for the same lock, for ever.
 */
export function newKey(): KeyObject {
  // As text first, so that the key read from it shares nothing with the job that made it.
  const publicKeyEncoding = { type: "spki", format: "pem" } as const;
  const privateKeyEncoding = { type: "pkcs8", format: "pem" } as const;
  return createPrivateKey(generateKeyPairSync("ed25519", { publicKeyEncoding, privateKeyEncoding }).privateKey);
}
