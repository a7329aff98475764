/** Signatures of approvals: what holds, and each way in which one does not. */
import { createHmac, generateKeyPairSync } from "node:crypto";
import { CompactSign, compactVerify, importJWK } from "jose";
import { describe, expect, it } from "vitest";
import { type Approval, ErrorCode, type Query, Terms } from "#contracts";
import { approvalClaims } from "#domain/approval-claims";
import { signedApproval, testApprovalKeys, testSigningKey } from "#testing/approval-keys";
import { wageGapQuery } from "#testing/wage-gap-knowledge";
import { approvalKeysOf } from "./approval-keys.ts";
import { makeApprovalKeys } from "./make-keys.ts";
import { type ApprovedMessage, approvalError } from "./verify.ts";

const query = wageGapQuery({ options: { graph: true }, algorithm: { name: "average" }, purpose: "wage gap" });
const message = { queryId: query.id, query, replyTo: "reply.exchange.one", attempt: 1, deadlineMs: 10_000 };
const terms = Terms.fromPartial({ archetypes: ["computeToData"], dataSets: ["wageGap"], agreementRevision: 3 });
const approval = signedApproval(message, { provider: "UVA", terms, issuedAtMs: 1_000 });
const nowMs = 5_000;

function errorOf(change: Partial<Approval>, about: Partial<ApprovedMessage> = {}, keys = testApprovalKeys, at = nowMs) {
  const error = approvalError({ ...approval, ...change }, { ...message, ...about }, { keys, nowMs: at });
  if (error === undefined) return undefined;
  expect(error.code).toBe(ErrorCode.APPROVAL_INVALID);
  return error.message;
}

/** The same payload under another header or key. */
function signedAnew(header: object, key = testSigningKey): string {
  const [, payload] = approval.jws.split(".");
  const [fresh] = [signedApproval(message, { ...approval, terms }, key)];
  const [, , signature] = fresh.jws.split(".");
  return `${Buffer.from(JSON.stringify(header)).toString("base64url")}.${payload}.${signature}`;
}

describe("an approval", () => {
  it("holds for the message that it was signed for", () => {
    expect(errorOf({})).toBeUndefined();
  });

  it("is of the form that jose reads and writes", async () => {
    const { privateJwk, publicJwk } = makeApprovalKeys("other");
    const read = await compactVerify(approval.jws, testApprovalKeys.get("test") as never, { algorithms: ["EdDSA"] });
    expect(read.protectedHeader).toEqual({ alg: "EdDSA", kid: "test", typ: "approval+jws" });
    expect(new TextDecoder().decode(read.payload)).toBe(approvalClaims(approval));
    const jws = await new CompactSign(Buffer.from(approvalClaims(approval)))
      .setProtectedHeader({ alg: "EdDSA", kid: "other", typ: "approval+jws" })
      .sign(await importJWK({ ...privateJwk }, "EdDSA"));
    expect(errorOf({ jws }, {}, approvalKeysOf({ keys: [publicJwk] }))).toBeUndefined();
  });

  const changes: { [Field in keyof Omit<Approval, "jws">]: Approval[Field] } = {
    queryId: "q2",
    user: { id: "12324", name: "somebody@example.org" },
    provider: "VU",
    terms: { ...terms, archetypes: ["dataThroughTtp"] },
    expiresAtMs: 99_000,
    querySha256: "0".repeat(64),
    issuedAtMs: 2_000,
    replyTo: "reply.exchange.two",
    attempt: 2,
  };
  it.each(Object.entries(changes))("does not hold with another %s", (field, value) => {
    expect(errorOf({ [field]: value })).toMatch(/is not what was signed$/);
  });

  const otherTerms: { [Field in keyof Terms]: Terms[Field] } = {
    archetypes: [],
    computeProviders: ["SURF"],
    dataSets: ["wageGap", "secrets"],
    columns: { tables: [] },
    demandedSteps: ["sql-anonymize"],
    agreementRevision: 4,
    deniedColumns: { tables: [] },
    rowFilters: [{ table: "Personen", predicate: "true" }],
    aggregatesOnly: true,
    minimumGroupSize: 1,
    maximumRows: 1,
    resultRecipients: { names: [] },
  };
  it.each(Object.entries(otherTerms))("does not hold with other terms: %s", (field, value) => {
    expect(errorOf({ terms: { ...terms, [field]: value } })).toMatch(/is not what was signed$/);
  });

  const otherQueries: { [Field in keyof Omit<Query, "id" | "user">]-?: Query[Field] } = {
    requestType: "genericRequest",
    providers: ["UVA"],
    dataSets: ["wageGap"],
    sql: "SELECT 2",
    algorithm: { name: "average", column: "Salschal", groupBy: [] },
    options: { graph: true, aggregate: true },
    purpose: "",
    reuse: { queryId: "q0", answeredAtMs: 1, data: [{ provider: "UVA", revision: "r" }] },
    head: true,
  };
  it.each(Object.entries(otherQueries))("does not hold for a query with another %s", (field, value) => {
    expect(errorOf({}, { query: { ...query, [field]: value } as Query })).toBe(
      "the approval of UVA is of the query before it was changed",
    );
  });

  it.each([
    [{ queryId: "q2" }, "is of another query"],
    [{ query: { ...query, id: "q2" } }, "is of another query"],
    [{ query: undefined }, "comes without its query"],
    [{ query: { ...query, user: undefined } }, "is of another user"],
    [{ query: { ...query, user: { id: "12324", name: "x" } } }, "is of another user"],
    [{ replyTo: "reply.exchange.two" }, "is of another asker"],
    [{ attempt: 2 }, "is of another attempt"],
  ] as [Partial<ApprovedMessage>, string][])("does not hold for another message: %#", (about, problem) => {
    expect(errorOf({}, about)).toBe(`the approval of UVA ${problem}`);
  });

  it("does not hold before its time nor after it", () => {
    expect(errorOf({}, { deadlineMs: 99_000 }, testApprovalKeys, 10_000)).toBe("the approval of UVA has expired");
    const early = signedApproval(message, { provider: "UVA", terms, issuedAtMs: 100_000 });
    expect(errorOf({ ...early })).toBe("the approval of UVA is of a time that is still to come");
    const late = approvalError(approval, message, { keys: testApprovalKeys, nowMs: 10_000 });
    expect(late?.label).toBe("DEADLINE_EXCEEDED");
  });
});

describe("the signature of an approval", () => {
  const header = { alg: "EdDSA", kid: "test", typ: "approval+jws" };
  const { privateJwk, publicJwk } = makeApprovalKeys("test");
  const [head = "", body = "", signature = ""] = approval.jws.split(".");
  const form = "is not a compact JWS with a signature of Ed25519";
  const otherHeader = "has another header than alg EdDSA, kid and typ approval+jws";

  /** Key confusion: the public key as the secret of an HMAC. */
  function hmac(alg: string): string {
    const signed = `${Buffer.from(JSON.stringify({ ...header, alg })).toString("base64url")}.${body}`;
    return `${signed}.${createHmac("sha256", JSON.stringify(publicJwk)).update(signed).digest("base64url")}`;
  }

  it.each([
    ["", "is not signed"],
    ["a", form],
    [`${head}.${body}`, form],
    [`${head}.${body}.`, form],
    [`${head}.${body}.${signature}.${signature}`, form],
    [`${head}.${body}.${signature}=`, form],
    [`${head}.${body}.${signature.slice(1)}`, form],
    [hmac("HS256"), form],
    [`.${body}.${signature}`, otherHeader],
    [`e30.${body}.${signature}`, otherHeader],
    [`${head}==.${body}.${signature}`, otherHeader],
    [`${head}..${signature}`, "is not what was signed"],
    [`${head}.${body} .${signature}`, "is not what was signed"],
    [`${head}.${body}.${"A".repeat(86)}`, "is signed by somebody else"],
    [signedAnew({ ...header, alg: "none" }), otherHeader],
    [signedAnew({ ...header, alg: "Ed25519" }), otherHeader],
    [signedAnew({ ...header, crit: ["exp"] }), otherHeader],
    [signedAnew({ ...header, b64: false }), otherHeader],
    [signedAnew({ ...header, jwk: publicJwk }), otherHeader],
    [signedAnew({ alg: "EdDSA", typ: "approval+jws" }), otherHeader],
    [signedAnew({ ...header, typ: "JWT" }), otherHeader],
    [signedAnew({ ...header, kid: "elsewhere" }), "is signed with a key that is not known here"],
    [signedAnew({ ...header, kid: "__proto__" }), "is signed with a key that is not known here"],
  ])("%s", (jws, problem) => {
    expect(errorOf({ jws })).toBe(`the approval of UVA ${problem}`);
  });

  it("does not hold by another key of the same name", () => {
    const forged = signedApproval(
      message,
      { ...approval, terms },
      {
        kid: "test",
        key: generateKeyPairSync("ed25519").privateKey,
      },
    );
    expect(errorOf({ ...forged })).toBe("the approval of UVA is signed by somebody else");
    expect(privateJwk.kid).toBe("test");
  });
});
