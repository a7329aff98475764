/** Issues the tokens of a local system: one Ed25519 key pair in a folder, made on first use. No other system believes it. */
import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { calculateJwkThumbprint, importJWK, type JWK, SignJWT } from "jose";
import { newKey } from "#approval/new-key";

export interface DemoIssuer {
  readonly issuer: string;
  readonly audience: string;
  /** With the public key, for the orchestrator. */
  readonly jwksFile: string;
  sign(bearer: Bearer, lifetimeS: number): Promise<string>;
}

/** Whose token it is, in the claims that the orchestrator reads by default. */
export interface Bearer {
  /** As named in the agreements. */
  readonly user: string;
  /** Absent: the name. */
  readonly id?: string;
  readonly roles: readonly string[];
  /** Of a steward. */
  readonly party?: string;
}

const issuer = "urn:dynamos:demo";
const audience = "dynamos";
const privateFile = "demo-key.json";
const publicFile = "demo-keys.json";

/** Makes the key where there is none. @throws Error with a sentence when the folder can't hold it or others may read it */
export async function openDemoIssuer(folder: string): Promise<DemoIssuer> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const key = (await readKey(folder)) ?? (await makeKey(folder));
  const { d: _, ...publicKey } = key;
  const jwksFile = join(folder, publicFile);
  await replaceFile(jwksFile, JSON.stringify({ keys: [publicKey] }));
  return issuerOf(key, jwksFile);
}

/** @returns undefined where no key was made yet */
export async function findDemoIssuer(folder: string): Promise<DemoIssuer | undefined> {
  const key = await readKey(folder);
  return key && issuerOf(key, join(folder, publicFile));
}

function issuerOf(key: JWK, jwksFile: string): DemoIssuer {
  return {
    issuer,
    audience,
    jwksFile,
    sign: async ({ user, id = user, roles, party }, lifetimeS) => {
      const claims = { email: user, roles, ...(party === undefined ? {} : { party }) };
      const nowS = Math.floor(Date.now() / 1_000);
      return new SignJWT(claims)
        .setProtectedHeader({ alg: "EdDSA", kid: key.kid ?? "", typ: "JWT" })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(id)
        .setIssuedAt(nowS)
        .setExpirationTime(nowS + lifetimeS)
        .setJti(randomUUID())
        .sign(await importJWK(key, "EdDSA"));
    },
  };
}

async function readKey(folder: string): Promise<JWK | undefined> {
  const file = join(folder, privateFile);
  try {
    const [text, { mode }] = await Promise.all([readFile(file, "utf8"), stat(file)]);
    if ((mode & 0o077) !== 0) throw new Error(`others may read the key in ${file}: chmod 600 it, or remove it`);
    return JSON.parse(text);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    if (error instanceof SyntaxError) throw new Error(`${file} holds no key: remove it, and a new one is made`);
    throw error;
  }
}

/** Two commands may come to it at once: one key stays, whole. */
async function makeKey(folder: string): Promise<JWK> {
  const jwk = newKey().export({ format: "jwk" }) as JWK;
  const key: JWK = { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: "EdDSA", use: "sig" };
  const temporary = join(folder, `.${randomUUID()}`);
  await writeFile(temporary, JSON.stringify(key), { mode: 0o600 });
  try {
    await link(temporary, join(folder, privateFile));
    return key;
  } catch (error) {
    const made = await readKey(folder);
    if (made === undefined) throw error;
    return made;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}`;
  await writeFile(temporary, text);
  await rename(temporary, file);
}
