/** Keys from a live server, and from a file: rotated, withdrawn, and not to be had. */
import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { readClaimPaths } from "./claim-paths.ts";
import { createTokenVerifier, type TokenVerifier } from "./token.ts";
import { createTokenKeys, type KeyTimes } from "./token-keys.ts";

interface Pair {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

const settings = { issuer: "i", audience: "a", clockSkewS: 0, claims: readClaimPaths("") };
let first: Pair;
let second: Pair;

async function pairOf(kid: string): Promise<Pair> {
  const { privateKey, publicKey } = await generateKeyPair("EdDSA", { extractable: true });
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid } };
}

function tokenBy({ kid, privateKey }: Pair): Promise<string> {
  return new SignJWT({ email: "ada@example.org" })
    .setProtectedHeader({ alg: "EdDSA", kid })
    .setIssuer("i")
    .setAudience("a")
    .setSubject("s")
    .setIssuedAt()
    .setExpirationTime("5m")
    .sign(privateKey);
}

const setOf = (...pairs: Pair[]) => JSON.stringify({ keys: pairs.map(({ jwk }) => jwk) });
const unavailable = { code: ErrorCode.KEYS_UNAVAILABLE };
const refused = { code: ErrorCode.UNAUTHENTICATED };

beforeAll(async () => {
  first = await pairOf("first");
  second = await pairOf("second");
});

describe("keys from a URL", () => {
  let server: Server;
  let port: number;
  let served: string;
  let status: number;
  let fetches: number;

  const listen = async (at = 0) => {
    server = createServer((_, response) => {
      fetches += 1;
      response.writeHead(status, { "content-type": "application/json", location: "/elsewhere" }).end(served);
    }).listen(at, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  };
  const down = async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  };
  const verifier = async (times: Partial<KeyTimes> = {}): Promise<TokenVerifier> => {
    const url = new URL(`http://127.0.0.1:${port}/keys`);
    const usual = { cacheMsMax: 60_000, coolDownMs: 0, fetchMsMax: 5_000 };
    return createTokenVerifier(settings, await createTokenKeys({ kind: "url", url }, { ...usual, ...times }));
  };

  beforeEach(async () => {
    served = setOf(first);
    status = 200;
    fetches = 0;
    await listen();
  });
  afterEach(down);

  it("are fetched with the first token, and not for the next", async () => {
    const verify = await verifier();
    expect(fetches).toBe(0);
    for (let i = 0; i < 5; i++) await verify(await tokenBy(first));
    expect(fetches).toBe(1);
  });

  it("are rotated: a new key is taken when a token names it, and one that was dropped is not", async () => {
    const verify = await verifier();
    await verify(await tokenBy(first));
    served = setOf(first, second);
    await expect(verify(await tokenBy(second))).resolves.toMatchObject({ subject: "s" });
    await expect(verify(await tokenBy(first))).resolves.toMatchObject({ subject: "s" });
    served = setOf(second);
    // One that nobody knows has them fetched again.
    await expect(verify(await tokenBy(await pairOf("third")))).rejects.toMatchObject(refused);
    await expect(verify(await tokenBy(first))).rejects.toMatchObject(refused);
    await expect(verify(await tokenBy(second))).resolves.toMatchObject({ subject: "s" });
  });

  it("lose one that was dropped when they have been kept for their time, though no new one is named", async () => {
    const verify = await verifier({ cacheMsMax: 100 });
    await verify(await tokenBy(first));
    served = setOf(second);
    await setTimeout(150);
    await expect(verify(await tokenBy(first))).rejects.toMatchObject(refused);
  });

  it("are not fetched for every kid that somebody makes up", async () => {
    const verify = await verifier({ coolDownMs: 60_000 });
    await verify(await tokenBy(first));
    for (let i = 0; i < 20; i++) {
      await expect(verify(await tokenBy({ ...second, kid: `made-up-${i}` }))).rejects.toMatchObject(refused);
    }
    expect(fetches).toBe(1);
  });

  it("are 503 while their server is away at the start, and there when it is back", async () => {
    const verify = await verifier();
    const { port: at } = server.address() as AddressInfo;
    await down();
    await expect(verify(await tokenBy(first))).rejects.toMatchObject(unavailable);
    await listen(at);
    await expect(verify(await tokenBy(first))).resolves.toMatchObject({ subject: "s" });
  });

  it("hold for their time while their server is away later, then are 503, never believed longer", async () => {
    const verify = await verifier({ cacheMsMax: 1_000 });
    await verify(await tokenBy(first));
    const { port: at } = server.address() as AddressInfo;
    await down();
    await expect(verify(await tokenBy(first))).resolves.toMatchObject({ subject: "s" });
    await setTimeout(1_100);
    await expect(verify(await tokenBy(first))).rejects.toMatchObject(unavailable);
    await listen(at);
    await expect(verify(await tokenBy(first))).resolves.toMatchObject({ subject: "s" });
  });

  it("that can't be had are not asked for by every caller", async () => {
    status = 500;
    const verify = await verifier({ coolDownMs: 60_000 });
    for (let i = 0; i < 20; i++) await expect(verify(await tokenBy(first))).rejects.toMatchObject(unavailable);
    expect(fetches).toBeLessThan(20);
  });

  it("that are here hold while their issuer is in trouble, which no made-up kid makes worse", async () => {
    const verify = await verifier({ coolDownMs: 500 });
    await verify(await tokenBy(first));
    status = 500;
    await setTimeout(600);
    for (let i = 0; i < 20; i++) {
      await expect(verify(await tokenBy({ ...second, kid: `made-up-${i}` }))).rejects.toMatchObject(unavailable);
      await expect(verify(await tokenBy(first))).resolves.toMatchObject({ subject: "s" });
    }
    expect(fetches).toBeGreaterThan(1);
    expect(fetches).toBeLessThan(20);
  });

  it.each<[string, () => void]>([
    ["an error", () => (status = 500)],
    ["a redirect", () => (status = 302)],
    ["no JSON", () => (served = "<html>")],
    ["no set of keys", () => (served = '{"keys": 1}')],
    ["too much", () => (served = `{"keys": [], "x": "${"x".repeat(limits.tokenKeysBytesMax)}"}`)],
  ])("that come as %s are 503", async (_, change) => {
    change();
    const verify = await verifier();
    await expect(verify(await tokenBy(first))).rejects.toMatchObject(unavailable);
  });

  it("that do not come in time are 503", async () => {
    await down();
    server = createServer(() => {}).listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
    const verify = await verifier({ fetchMsMax: 100 });
    await expect(verify(await tokenBy(first))).rejects.toMatchObject(unavailable);
  });

  it.each<[string, () => Promise<JWK>, object]>([
    ["a secret", async () => ({ kty: "oct", k: "AAAA", kid: "first" }), refused],
    ["for encryption", async () => ({ ...first.jwk, use: "enc" }), refused],
    ["private", async () => ({ ...(await exportJWK(first.privateKey)), kid: "first" }), unavailable],
  ])("of which the one is %s verify nothing", async (_, jwk, error) => {
    served = JSON.stringify({ keys: [await jwk()] });
    const verify = await verifier();
    await expect(verify(await tokenBy(first))).rejects.toMatchObject(error);
  });
});

describe("keys from a file", () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "token-keys-"));
    path = join(folder, "keys.json");
    await writeFile(path, setOf(first));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const verifier = async () => createTokenVerifier(settings, await createTokenKeys({ kind: "file", path }));

  it("are read again when it changes, by writing into it or by another in its place", async () => {
    const verify = await verifier();
    await verify(await tokenBy(first));
    await writeFile(path, setOf(first, second));
    await expect(verify(await tokenBy(second))).resolves.toMatchObject({ subject: "s" });
    await writeFile(join(folder, "next"), setOf(second));
    await rename(join(folder, "next"), path);
    await expect(verify(await tokenBy(first))).rejects.toMatchObject(refused);
    await expect(verify(await tokenBy(second))).resolves.toMatchObject({ subject: "s" });
  });

  it("are 503 when it goes or breaks later, and there again with it", async () => {
    const verify = await verifier();
    await verify(await tokenBy(first));
    await rm(path);
    await expect(verify(await tokenBy(first))).rejects.toMatchObject(unavailable);
    await writeFile(path, "{");
    await expect(verify(await tokenBy(first))).rejects.toMatchObject(unavailable);
    await writeFile(path, setOf(first));
    await expect(verify(await tokenBy(first))).resolves.toMatchObject({ subject: "s" });
  });

  it.each(["{", "{}", "[]"])("stop the start when they are %s", async (text) => {
    await writeFile(path, text);
    await expect(verifier()).rejects.toMatchObject({
      ...unavailable,
      message: `token_jwks_file ${path} can't be read as a set of keys`,
    });
  });
});
