/** A new pair of keys for approvals. */
import { createPublicKey, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { newKey } from "./new-key.ts";

export interface ApprovalKeyPair {
  /** For the policy-enforcer alone. */
  readonly privateJwk: Readonly<Record<string, string>>;
  readonly publicJwk: Readonly<Record<string, string>>;
}

export interface ApprovalKeyFiles {
  readonly privateFile: string;
  readonly publicFile: string;
}

/** @param kid absent: a random one; two keys of one name could not be told apart */
export function makeApprovalKeys(kid: string = randomUUID()): ApprovalKeyPair {
  const privateKey = newKey();
  const publicKey = createPublicKey(privateKey);
  const common = { alg: "EdDSA", use: "sig", kid };
  return {
    privateJwk: { ...(privateKey.export({ format: "jwk" }) as Record<string, string>), ...common },
    publicJwk: { ...(publicKey.export({ format: "jwk" }) as Record<string, string>), ...common },
  };
}

/** The pair of a folder, made where there is none. @throws Error where only one of the two files is there */
export async function approvalKeysIn(folder: string): Promise<ApprovalKeyFiles> {
  const files = approvalKeyFiles(folder);
  const there = [files.privateFile, files.publicFile].filter((file) => existsSync(file));
  if (there.length === 2) return files;
  if (there.length === 1) throw new Error(`${there[0]} is there without the other key of its pair`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return writeApprovalKeys(folder);
}

/**
 * Writes a new pair: the private key for this user's eyes alone.
 * @param beside public keys that are believed too, while keys are changed
 * @throws Error when there is one already
 */
export async function writeApprovalKeys(
  folder: string,
  kid?: string,
  beside: readonly unknown[] = [],
): Promise<ApprovalKeyFiles> {
  const { privateJwk, publicJwk } = makeApprovalKeys(kid);
  const files = approvalKeyFiles(folder);
  await writeFile(files.privateFile, `${JSON.stringify(privateJwk)}\n`, { mode: 0o600, flag: "wx" });
  await writeFile(files.publicFile, `${JSON.stringify({ keys: [publicJwk, ...beside] })}\n`, { flag: "wx" });
  return files;
}

export function approvalKeyFiles(folder: string): ApprovalKeyFiles {
  return { privateFile: join(folder, "approval-key"), publicFile: join(folder, "approval-keys") };
}
