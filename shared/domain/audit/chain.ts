/**
 * Records as lines of one chain: each names the one before it by its hash, and is signed.
 *
 * A line is the canonical JSON (RFC 8785) of the record with `party`, `instance`, `seq` and `previous`,
 * then `hash`, SHA-256 over the canonical JSON of all these, and `signature`, Ed25519 (RFC 8032) over
 * `dynamos.record.v1` LF and the hash.
 */
import { canonicalJson } from "../canonical-json.ts";
import type { AuditRecord, Sha256 } from "./record.ts";

/** What writes a chain: one sidecar of a party. */
export interface ChainPlace {
  readonly party: string;
  /** Names the chain among those of the party. */
  readonly instance: string;
}

/** The last record of a chain; `seq` 0 before the first. */
export interface Head {
  readonly seq: number;
  readonly hash: Sha256;
}

/** Of the text in UTF-8. */
export type Digest = (text: string) => Sha256;

export interface Sealer {
  readonly digest: Digest;
  /** Base64url, without padding. */
  readonly sign: (text: string) => string;
  /** Ed25519, the 32 bytes in base64url: `x` of the JWK (RFC 8037). */
  readonly publicKey: string;
}

/** The first record of each chain: whose it is, and by which key its lines can be verified. */
export interface GenesisRecord {
  readonly kind: "genesis";
  readonly atMs: number;
  readonly format: 1;
  readonly publicKey: { readonly kty: "OKP"; readonly crv: "Ed25519"; readonly x: string };
}

export interface SealedRecord extends ChainPlace {
  readonly kind: string;
  readonly seq: number;
  readonly previous: Sha256;
  readonly hash: Sha256;
  readonly signature: string;
}

export const beforeFirst: Head = { seq: 0, hash: "" };

export function genesisRecord(atMs: number, { publicKey }: Pick<Sealer, "publicKey">): GenesisRecord {
  return { kind: "genesis", atMs, format: 1, publicKey: { kty: "OKP", crv: "Ed25519", x: publicKey } };
}

/** @returns the record's line, without its line feed, and what the next one follows */
export function sealRecord(
  record: AuditRecord | GenesisRecord,
  { seq, hash: previous }: Head,
  { party, instance }: ChainPlace,
  sealer: Sealer,
): { line: string; head: Head } {
  const body = { ...record, party, instance, seq: seq + 1, previous };
  const hash = sealer.digest(canonicalJson(body));
  const line = canonicalJson({ ...body, hash, signature: sealer.sign(signedText(hash)) });
  return { line, head: { seq: seq + 1, hash } };
}

/** What is signed of a record: its hash in a sentence of its own, so that the signature is good for nothing else. */
export function signedText(hash: Sha256): string {
  return `dynamos.record.v1\n${hash}`;
}

/** @returns undefined: the line is not a record that was written here, or not as it was written */
export function readSealed(line: string, digest: Digest): SealedRecord | undefined {
  const json = parsed(line);
  if (!isSealed(json) || canonicalOf(json) !== line) return undefined;
  const { hash, signature: _, ...body } = json;
  return digest(canonicalJson(body)) === hash ? json : undefined;
}

/** The number that a line claims, also one that was altered. */
export function claimedSeq(line: string): number | undefined {
  const json = parsed(line);
  const seq = typeof json === "object" && json !== null ? (json as { seq?: unknown }).seq : undefined;
  return Number.isSafeInteger(seq) ? (seq as number) : undefined;
}

export function publicKeyOf(record: SealedRecord): string | undefined {
  const { kind, publicKey } = record as SealedRecord & Partial<GenesisRecord>;
  return kind === "genesis" && typeof publicKey?.x === "string" ? publicKey.x : undefined;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function canonicalOf(json: object): string | undefined {
  try {
    return canonicalJson(json);
  } catch {
    // A number beyond what JSON can hold.
    return undefined;
  }
}

function isSealed(json: unknown): json is SealedRecord {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return false;
  const { kind, party, instance, seq, previous, hash, signature } = json as Partial<Record<string, unknown>>;
  const texts = [kind, party, instance, previous, hash, signature];
  return texts.every((text) => typeof text === "string") && Number.isSafeInteger(seq) && (seq as number) > 0;
}
