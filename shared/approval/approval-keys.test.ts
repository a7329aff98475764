import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { approvalKeysOf, readApprovalKeys, readSigningKey } from "./approval-keys.ts";
import { approvalKeysIn, makeApprovalKeys, writeApprovalKeys } from "./make-keys.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-keys-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const { privateJwk, publicJwk } = makeApprovalKeys("k");

describe("approvalKeysIn", () => {
  it("makes a pair where there is none, and takes the one that is there", async () => {
    const inside = join(folder, "new");
    const files = await approvalKeysIn(inside);
    const made = await readFile(files.privateFile, "utf8");
    expect(await approvalKeysIn(inside)).toEqual(files);
    expect(await readFile(files.privateFile, "utf8")).toBe(made);
    await rm(files.publicFile);
    await expect(approvalKeysIn(inside)).rejects.toThrow(/approval-key is there without the other key of its pair/);
  });
});

describe("writeApprovalKeys", () => {
  it("writes a pair that both readers take, the private key for this user alone", async () => {
    const { privateFile, publicFile } = await writeApprovalKeys(folder);
    const { kid } = await readSigningKey(privateFile);
    expect([...(await readApprovalKeys(publicFile)).keys()]).toEqual([kid]);
    expect((await stat(privateFile)).mode & 0o777).toBe(0o600);
    expect(await readFile(publicFile, "utf8")).not.toContain('"d"');
  });

  it("does not replace a key", async () => {
    const { privateFile } = await writeApprovalKeys(folder);
    const before = await readFile(privateFile, "utf8");
    await expect(writeApprovalKeys(folder)).rejects.toMatchObject({ code: "EEXIST" });
    expect(await readFile(privateFile, "utf8")).toBe(before);
  });
});

describe("readSigningKey", () => {
  it.each([
    ["{", "is not JSON"],
    ["{}", "must be a private JWK: kty OKP, crv Ed25519, with d and kid"],
    [JSON.stringify(publicJwk), "must be a private JWK: kty OKP, crv Ed25519, with d and kid"],
    [JSON.stringify({ ...privateJwk, kid: "" }), "must be a private JWK: kty OKP, crv Ed25519, with d and kid"],
    [JSON.stringify({ ...privateJwk, crv: "Ed448" }), "must be a private JWK: kty OKP, crv Ed25519, with d and kid"],
    [JSON.stringify({ ...privateJwk, d: "AA" }), "is no key of Ed25519"],
  ])("says what is wrong with %s", async (text, problem) => {
    const file = join(folder, "key");
    await writeFile(file, text);
    const error: Error = await readSigningKey(file).then(
      () => new Error("read"),
      (thrown) => thrown,
    );
    expect(error.message).toBe(`the key that signs approvals, ${file}, ${problem}`);
    expect(String(error.stack) + String(error.cause)).not.toContain(privateJwk.d);
  });

  it("says that there is none", async () => {
    await expect(readSigningKey(join(folder, "none"))).rejects.toThrow(
      `the key that signs approvals, ${join(folder, "none")}, can't be read (ENOENT)`,
    );
  });
});

describe("readApprovalKeys", () => {
  it("reads what the file holds now", async () => {
    const file = join(folder, "approval-keys");
    const kidsOf = async (...keys: readonly object[]) => {
      await writeFile(file, JSON.stringify({ keys }));
      return [...(await readApprovalKeys(file)).keys()];
    };
    expect(await kidsOf(publicJwk)).toEqual(["k"]);
    const next = makeApprovalKeys("next").publicJwk;
    expect(await kidsOf(next)).toEqual(["next"]);
    await expect(kidsOf()).rejects.toThrow("must be a JWKS of 1 to 16 keys");
    await expect(kidsOf()).rejects.toThrow("must be a JWKS of 1 to 16 keys");
    expect(await kidsOf(publicJwk, next)).toEqual(["k", "next"]);
  });
});

describe("approvalKeysOf", () => {
  const other = makeApprovalKeys("other").publicJwk;

  it("takes several, as while keys change", () => {
    expect([...approvalKeysOf({ keys: [publicJwk, other] }).keys()]).toEqual(["k", "other"]);
  });

  it.each([
    [null, "must be a JWKS of 1 to 16 keys"],
    [{ keys: [] }, "must be a JWKS of 1 to 16 keys"],
    [{ keys: Array.from({ length: 17 }, () => publicJwk) }, "must be a JWKS of 1 to 16 keys"],
    [{ keys: [other, publicJwk, publicJwk] }, "key 3: has the kid of another"],
    [{ keys: [privateJwk] }, "key 1: is a private key, which is for the policy-enforcer alone"],
    [{ keys: [{ ...publicJwk, kid: undefined }] }, "key 1: must be of kty OKP and crv Ed25519, with kid"],
    [{ keys: [{ ...publicJwk, kty: "RSA" }] }, "key 1: must be of kty OKP and crv Ed25519, with kid"],
    [{ keys: [{ ...publicJwk, x: "AA" }] }, "key 1 is no key of Ed25519"],
  ])("says what is wrong: %#", (jwks, problem) => {
    expect(() => approvalKeysOf(jwks)).toThrow(`the public keys of approvals ${problem}`);
  });
});
