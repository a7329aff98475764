import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { jwsProblem, signedJws } from "./approval-jws.ts";
import { createVerifiedSignatures } from "./verified-signatures.ts";

const [one, other] = [generateKeyPairSync("ed25519"), generateKeyPairSync("ed25519")];
const keys = new Map([["k", one.publicKey]]);
const payload = '{"provider":"UVA"}';
const jws = signedJws(payload, { kid: "k", key: one.privateKey });

describe("verified signatures", () => {
  it("are computed once for the same text and key", () => {
    const verified = createVerifiedSignatures(10);
    let computed = 0;
    const verify = () => {
      computed += 1;
      return true;
    };
    for (let i = 0; i < 3; i++) expect(verified.holds(jws, one.publicKey, verify)).toBe(true);
    expect(computed).toBe(1);
  });

  it("say nothing of another payload, signature or key", () => {
    const verified = createVerifiedSignatures(10);
    expect(jwsProblem(jws, payload, keys, verified)).toBeUndefined();
    expect(jwsProblem(jws, '{"provider":"VU"}', keys, verified)).toBe("is not what was signed");
    const body = Buffer.from('{"provider":"VU"}').toString("base64url");
    const [header, , signature] = jws.split(".");
    const moved = `${header}.${body}.${signature}`;
    expect(jwsProblem(moved, '{"provider":"VU"}', keys, verified)).toBe("is signed by somebody else");
    const otherOne = signedJws(payload, { kid: "k", key: other.privateKey });
    expect(jwsProblem(otherOne, payload, keys, verified)).toBe("is signed by somebody else");
  });

  it("end with the key: under another one of the same name the signature is computed", () => {
    const verified = createVerifiedSignatures(10);
    expect(jwsProblem(jws, payload, keys, verified)).toBeUndefined();
    expect(jwsProblem(jws, payload, new Map([["k", other.publicKey]]), verified)).toBe("is signed by somebody else");
    expect(jwsProblem(jws, payload, new Map(), verified)).toBe("is signed with a key that is not known here");
  });

  it("are not more than so many, and never those that do not hold", () => {
    const verified = createVerifiedSignatures(2);
    const computed: string[] = [];
    const ask = (text: string, holds = true) =>
      verified.holds(text, one.publicKey, () => {
        computed.push(text);
        return holds;
      });
    for (const text of ["a", "b", "a", "c", "a", "b"]) expect(ask(text)).toBe(true);
    expect(computed).toEqual(["a", "b", "c", "b"]);
    expect([ask("forged", false), ask("forged", false), ask("b")]).toEqual([false, false, true]);
    expect(computed).toEqual(["a", "b", "c", "b", "forged", "forged"]);
  });
});
