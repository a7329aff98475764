/** The key that a party signs its record with: a PEM file for its owner alone, made when there is none. */
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { makeRecordKey, type RecordKey, readRecordKey } from "../system/record-crypto.ts";

/** Read and write of its owner. */
const mode = 0o600;

/** @throws Error that names the file: others can read it, or it is no Ed25519 private key */
export async function openRecordKey(path: string): Promise<RecordKey> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    const made = makeRecordKey();
    await writeFile(path, made.privatePem, { mode, flag: "wx", flush: true });
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  if (((await stat(path)).mode & 0o077) !== 0) {
    throw new Error(`${path} is a private key and others than its owner may read it: chmod 600 ${path}`);
  }
  const pem = await readFile(path, "utf8");
  try {
    return readRecordKey(pem);
  } catch {
    throw new Error(`${path} is not an Ed25519 private key in PEM`);
  }
}

/** The public key beside the record, for who verifies it: a JWK (RFC 8037) with the party as `kid`. */
export async function writePublicKey(path: string, party: string, { publicKey }: RecordKey): Promise<void> {
  const jwk = { kty: "OKP", crv: "Ed25519", x: publicKey, kid: party, use: "sig", alg: "EdDSA" };
  await writeFile(path, `${JSON.stringify(jwk)}\n`);
}
