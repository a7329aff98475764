/** Tokens as an attacker would make them. Every refusal is checked to say nothing of what the token holds. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type CryptoKey,
  createLocalJWKSet,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { readClaimPaths } from "./claim-paths.ts";
import { createTokenVerifier, type TokenVerifier } from "./token.ts";

const nowS = 1_800_000_000;
const skewS = 30;
const settings = {
  issuer: "https://issuer.example.org",
  audience: "dynamos",
  clockSkewS: skewS,
  claims: readClaimPaths(""),
};
const good = {
  iss: settings.issuer,
  aud: settings.audience,
  sub: "subject-4711",
  email: "ada@example.org",
  roles: ["researcher"],
  iat: nowS - 10,
  nbf: nowS - 10,
  exp: nowS + 600,
};

const algorithms = ["EdDSA", "ES256", "RS256"] as const;
let keys: Record<string, CryptoKey>;
/** Nobody's that the issuer knows. */
let stranger: CryptoKey;
let strangerJwk: Record<string, unknown>;
let rsaPem: string;
let rsaJwk: string;
let verify: TokenVerifier;

beforeAll(async () => {
  keys = {};
  const jwks = [];
  for (const alg of [...algorithms, "ES384"]) {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    keys[alg] = privateKey;
    // Without `alg`: only our list keeps the other algorithms of a key out.
    const jwk = { ...(await exportJWK(publicKey)), kid: `key-${alg}` };
    jwks.push(jwk);
    if (alg !== "RS256") continue;
    rsaPem = await exportSPKI(publicKey);
    rsaJwk = JSON.stringify(jwk);
    keys.RS384 = await crypto.subtle.importKey(
      "jwk",
      await crypto.subtle.exportKey("jwk", privateKey as never).then(({ alg: _, ...key }) => key),
      { name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" },
      false,
      ["sign"],
    );
  }
  const strange = await generateKeyPair("EdDSA", { extractable: true });
  stranger = strange.privateKey;
  strangerJwk = { ...(await exportJWK(strange.publicKey)) };
  verify = createTokenVerifier(settings, createLocalJWKSet({ keys: jwks }), () => nowS * 1_000);
});

/** Signed as its header says, unless by another key. */
function signed(payload: JWTPayload, header: Partial<JWTHeaderParameters> = {}, key?: CryptoKey): Promise<string> {
  const { alg = "EdDSA" } = header;
  const protectedHeader = { alg, kid: `key-${alg}`, ...header };
  return new SignJWT(payload).setProtectedHeader(protectedHeader).sign(key ?? (keys[alg] as CryptoKey));
}

const part = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** Whatever the parts are. */
const made = (header: unknown, payload: unknown, signature = "") => `${part(header)}.${part(payload)}.${signature}`;

function hmac(secret: string, header: object = { alg: "HS256", kid: "key-RS256" }): string {
  const head = `${part(header)}.${part(good)}`;
  return `${head}.${createHmac("sha256", secret).update(head).digest("base64url")}`;
}

/** @returns why the token is refused */
async function refusalOf(token: string): Promise<string> {
  const error = await verify(token).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DynamosError)) throw new Error("the token was taken, or failed without a code");
  expect(error.code).toBe(ErrorCode.UNAUTHENTICATED);
  expect(error.cause).toBeUndefined();
  const told = `${error.message} ${error.stack} ${JSON.stringify(error)}`;
  for (const secret of [good.sub, good.email, ...token.split(".").filter(({ length }) => length > 12)]) {
    expect(told).not.toContain(secret);
  }
  return error.message;
}

describe("a token is taken", () => {
  it.each(algorithms)("signed by %s", async (alg) => {
    expect(await verify(await signed(good, { alg }))).toEqual({
      subject: good.sub,
      user: { id: good.sub, name: good.email },
      roles: ["researcher"],
      party: "",
    });
  });

  it("for several audiences, of which one is this", async () => {
    await expect(verify(await signed({ ...good, aud: ["other", "dynamos"] }))).resolves.toBeDefined();
  });

  it.each([
    ["expired within the skew", { exp: nowS - skewS + 1 }],
    ["not valid yet within the skew", { nbf: nowS + skewS }],
    ["issued in the future within the skew", { iat: nowS + skewS }],
  ])("%s", async (_, change) => {
    await expect(verify(await signed({ ...good, ...change }))).resolves.toBeDefined();
  });
});

const without = (claim: keyof typeof good) =>
  Object.fromEntries(Object.entries(good).filter(([name]) => name !== claim));

describe("a token is refused by its claims", () => {
  it.each<[string, object, string]>([
    ["of another issuer", { ...good, iss: "https://other.example.org" }, "the token is of another issuer"],
    ["of two issuers", { ...good, iss: [settings.issuer] }, "the token is of another issuer"],
    ["of no issuer", without("iss"), "the token has no claim iss"],
    ["for another audience", { ...good, aud: "other" }, "the token is meant for another audience"],
    ["for an audience that only begins so", { ...good, aud: "dynamos2" }, "the token is meant for another audience"],
    ["for no audience", without("aud"), "the token has no claim aud"],
    ["expired beyond the skew", { ...good, exp: nowS - skewS }, "the token has expired"],
    ["that never expires", without("exp"), "the token has no claim exp"],
    ["not valid yet beyond the skew", { ...good, nbf: nowS + skewS + 1 }, "the token is not valid yet"],
    ["issued in the future", { ...good, iat: nowS + skewS + 1 }, "the token was issued in the future"],
    ["issued at no time", without("iat"), "the token has no claim iat"],
    ["a year old that has not expired", { ...good, iat: nowS - 31_536_000 }, "the token is over 86400 s old"],
    [
      "whose time is a text",
      { ...good, exp: String(nowS + 600) },
      "the token's claim exp is not what such a claim must be",
    ],
    ["without a subject", without("sub"), "the token has no claim sub"],
    ["with an empty subject", { ...good, sub: "" }, "the token's claim sub is no text of 1 to 320 characters"],
    ["with a subject that is a number", { ...good, sub: 1 }, "the token's claim sub is no text of 1 to 320 characters"],
    ["without a name", without("email"), "the token has no claim email"],
    [
      "with a line break in the name",
      { ...good, email: "a\nb" },
      "the token's claim email is no text of 1 to 320 characters",
    ],
    [
      "whose address nobody verified",
      { ...good, email_verified: false },
      "the token's issuer has not verified the claim email",
    ],
  ])("%s", async (_, payload, message) => {
    expect(await refusalOf(await signed(payload as JWTPayload))).toBe(message);
  });
});

describe("a token is refused by its algorithm", () => {
  const notSigned = "the token is not signed by EdDSA, ES256, RS256";

  it.each(["none", "None", "NONE", "nOnE", ""])("%j, with and without a signature", async (alg) => {
    expect(await refusalOf(made({ alg, kid: "key-EdDSA" }, good))).toMatch(
      /^the token is not a signed JWT$|^the token is not signed by/,
    );
    expect(await refusalOf(made({ alg, kid: "key-EdDSA" }, good, part("signature")))).toMatch(/^the token is not/);
  });

  it("HS256 with the public key as its secret, in each of its forms", async () => {
    const modulus = (JSON.parse(rsaJwk) as { n: string }).n;
    for (const secret of [rsaPem, rsaPem.trim(), rsaJwk, modulus, ""])
      expect(await refusalOf(hmac(secret))).toBe(notSigned);
  });

  it("RS256 by its header with an HMAC of the public key as its signature", async () => {
    const token = hmac(rsaPem, { alg: "RS256", kid: "key-RS256" });
    expect(await refusalOf(token)).toBe("the token's signature does not hold");
  });

  it("one that its key could do and our list does not have", async () => {
    expect(await refusalOf(await signed(good, { alg: "ES384" }))).toBe(notSigned);
    expect(await refusalOf(await signed(good, { alg: "RS384", kid: "key-RS256" }))).toBe(notSigned);
  });

  it("one that its key can't do", async () => {
    const token = await signed(good, { kid: "key-RS256" });
    expect(await refusalOf(token)).toBe("the token's key (kid) is none of the issuer's for its algorithm");
  });
});

describe("a token is refused by its key and signature", () => {
  const unknownKey = "the token's key (kid) is none of the issuer's for its algorithm";

  it("of a kid that is not known", async () => {
    expect(await refusalOf(await signed(good, { kid: "key-other" }))).toBe(unknownKey);
  });

  it.each([undefined, "", 1, null, ["key-EdDSA"]])("of the kid %j", async (kid) => {
    expect(await refusalOf(await signed(good, { kid } as never))).toMatch(/names no key|is not a signed JWT/);
  });

  it("by a stranger's key under a known kid", async () => {
    expect(await refusalOf(await signed(good, {}, stranger))).toBe("the token's signature does not hold");
  });

  it("changed after it was signed", async () => {
    const [header, , signature] = (await signed(good)).split(".");
    const token = `${header}.${part({ ...good, roles: ["operator"] })}.${signature}`;
    expect(await refusalOf(token)).toBe("the token's signature does not hold");
  });

  it("with any one of its characters changed, and still one of base64", async () => {
    const token = await signed(good);
    const bytesOf = (text: string) => text.split(".").map((one) => Buffer.from(one, "base64url").toString("hex"));
    let changed = 0;
    for (let at = 0; at < token.length; at++) {
      const other = `${token.slice(0, at)}${token[at] === "A" ? "B" : "A"}${token.slice(at + 1)}`;
      // The last character of a part has bits that stand for nothing.
      if (bytesOf(other).join() === bytesOf(token).join()) continue;
      await refusalOf(other);
      changed += 1;
    }
    expect(changed).toBeGreaterThan(token.length - 6);
  });

  it.each([
    ["ES256", 64],
    ["EdDSA", 64],
    ["RS256", 256],
  ])("of zeros, by %s", async (alg, length) => {
    const token = made({ alg, kid: `key-${alg}` }, good, Buffer.alloc(length).toString("base64url"));
    expect(await refusalOf(token)).toBe("the token's signature does not hold");
  });

  it("that brings its own key, or says where it is, without a look at it", async () => {
    let fetched = 0;
    const server = createServer((_, response) => {
      fetched += 1;
      response.end(JSON.stringify({ keys: [{ ...strangerJwk, kid: "key-EdDSA" }] }));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
    try {
      for (const own of [{ jwk: strangerJwk }, { jku: url }, { x5u: url }, { x5c: ["MIIB"] }]) {
        const token = await signed(good, own as never, stranger);
        expect(await refusalOf(token)).toBe("the token's signature does not hold");
        expect(await refusalOf(await signed(good, { ...own, kid: "mine" } as never, stranger))).toBe(unknownKey);
        await expect(verify(await signed(good, own as never))).resolves.toMatchObject({ subject: good.sub });
      }
      expect(fetched).toBe(0);
    } finally {
      server.close();
    }
  });

  it("that says what must be understood and is not", async () => {
    const header = { alg: "EdDSA", kid: "key-EdDSA", crit: ["exp"], exp: nowS };
    expect(await refusalOf(made(header, good, part("x".repeat(64))))).toBe(
      "the token needs what is not supported here",
    );
    const detached = { alg: "EdDSA", kid: "key-EdDSA", crit: ["b64"], b64: false };
    expect(await refusalOf(made(detached, good, part("x".repeat(64))))).toMatch(/^the token/);
    expect(await refusalOf(made({ ...header, crit: [] }, good, part("x")))).toBe("the token is not a signed JWT");
  });
});

describe("what is no token is refused:", () => {
  it.each<[string, string]>([
    ["nothing", ""],
    ["a word", "token"],
    ["two parts", "a.b"],
    ["five parts, as of an encrypted one", "a.b.c.d.e"],
    ["dots", ".."],
    ["a header that is no base64", "%%%.e30.AA"],
    ["a header that is no JSON", `${part("{")}.e30.AA`],
    ["a header that is no UTF-8", `${Buffer.from([0x7b, 0xff, 0x7d]).toString("base64url")}.e30.AA`],
    ["a header that is a list", made([], good, "AA")],
    ["a header that is null", made("null", good, "AA")],
    ["too long a one", "a".repeat(limits.tokenCharsMax + 1)],
  ])("%s", async (_, token) => {
    expect(await refusalOf(token)).toMatch(/^the token (is not a signed JWT|is over 8192 characters)$/);
  });

  it("too long a one, though rightly signed", async () => {
    const token = await signed({ ...good, groups: ["x".repeat(limits.tokenCharsMax)] });
    expect(await refusalOf(token)).toBe(`the token is over ${limits.tokenCharsMax} characters`);
  });

  it.each([
    ["no JSON", Buffer.from("{")],
    ["no UTF-8", Buffer.from([0x22, 0xff, 0x22])],
    ["a list", Buffer.from("[]")],
    ["a number", Buffer.from("1")],
    ["null", Buffer.from("null")],
  ])("a payload that is %s, though rightly signed", async (_, payload) => {
    const head = `${part({ alg: "EdDSA", kid: "key-EdDSA" })}.${payload.toString("base64url")}`;
    const signature = await crypto.subtle.sign("Ed25519", keys.EdDSA as never, Buffer.from(head));
    const token = `${head}.${Buffer.from(signature).toString("base64url")}`;
    expect(await refusalOf(token)).toBe("the token is not a signed JWT");
  });
});
