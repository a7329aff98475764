import { describe, expect, it } from "vitest";
import { ErrorCode, type Query } from "#contracts";
import { limits } from "#domain/limits";
import { askedBy } from "./caller.ts";
import { callerOf } from "./caller-of-claims.ts";
import { readClaimPaths } from "./claim-paths.ts";

const claims = { sub: "s", email: "ada@example.org", roles: ["researcher"] };
const usual = readClaimPaths("");
const parsed = (text: string) => JSON.parse(text) as Record<string, unknown>;

describe("a caller's roles", () => {
  it.each<[string, unknown, string[]]>([
    ["those of ours in a list", ["auditor", "researcher"], ["researcher", "auditor"]],
    ["words of one text", "operator openid", ["operator"]],
    ["none, when there is no claim", undefined, []],
    ["none, of names that are no role", ["admin", "RESEARCHER", " researcher", "__proto__", "constructor"], []],
    ["none, of what is no name", [{ researcher: true }, ["researcher"], 1, null], []],
    ["none, of an object", { researcher: true }, []],
    ["none, of those after too many others", [...Array(limits.tokenRolesMax).fill("x"), "operator"], []],
    ["each once", ["researcher", "researcher"], ["researcher"]],
  ])("are %s", (_, roles, expected) => {
    expect(callerOf({ ...claims, roles }, usual).roles).toEqual(expected);
  });

  it("bring the party along for a steward alone", () => {
    expect(callerOf({ ...claims, roles: ["steward"], party: "UVA" }, usual).party).toBe("UVA");
    expect(callerOf({ ...claims, roles: ["steward"] }, usual).party).toBe("");
    expect(callerOf({ ...claims, roles: ["operator"], party: "UVA" }, usual).party).toBe("");
    expect(() => callerOf({ ...claims, roles: ["steward"], party: ["UVA", "VU"] }, usual)).toThrow("claim party");
  });
});

describe("the mapping of claims", () => {
  it("takes names with dots as they are, and lists as ways into objects", () => {
    const paths = readClaimPaths(
      '{"userName": "preferred_username", "roles": ["realm_access", "roles"], "party": "https://example.org/party"}',
    );
    const token = {
      sub: "s",
      preferred_username: "ada",
      realm_access: { roles: ["steward"] },
      "https://example.org/party": "VU",
    };
    expect(callerOf(token, paths)).toEqual({
      subject: "s",
      user: { id: "s", name: "ada" },
      roles: ["steward"],
      party: "VU",
    });
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])("finds no %s that every object has", (name) => {
    const paths = readClaimPaths(JSON.stringify({ userName: name, roles: [name, "roles"] }));
    expect(() => callerOf(claims, paths)).toThrow(`the token has no claim ${name}`);
  });

  it("takes a claim named __proto__ for a claim, and lets it change nobody", () => {
    const token = parsed('{"sub": "s", "email": "e", "__proto__": {"roles": ["operator"], "party": "UVA"}}');
    expect(callerOf(token, usual).roles).toEqual([]);
    expect(callerOf(token, readClaimPaths('{"roles": ["__proto__", "roles"]}')).roles).toEqual(["operator"]);
    expect(({} as { roles?: unknown }).roles).toBeUndefined();
  });

  it.each([
    ["{", "token_claims is not JSON"],
    ["[]", "token_claims must be a JSON object"],
    ['{"name": "email"}', "token_claims has name, and takes subject, userName, userId, roles, party"],
    ['{"__proto__": "email"}', "token_claims has __proto__"],
    ['{"roles": ""}', "token_claims has for roles neither a claim's name nor a list of names"],
    ['{"roles": []}', "token_claims has for roles neither"],
    ['{"roles": [["a"]]}', "token_claims has for roles neither"],
    ['{"roles": ["a", 1]}', "token_claims has for roles neither"],
  ])("is refused when it is %s", (text, message) => {
    expect(() => readClaimPaths(text)).toThrow(message);
  });
});

describe("a query's user", () => {
  const caller = { subject: "s", user: { id: "7", name: "ada" }, roles: [], party: "" };
  const query = (user: { id: string; name: string } | undefined) => ({ sql: "SELECT 1", user }) as Query;

  it.each([undefined, { id: "", name: "" }, { id: "", name: "ada" }, { id: "7", name: "ada" }])(
    "is the token's where the body says %j",
    (user) => {
      expect(askedBy(caller, query(user))).toEqual({ sql: "SELECT 1", user: { id: "7", name: "ada" } });
    },
  );

  it.each([
    ["name", { id: "", name: "eve" }],
    ["name", { id: "7", name: "Ada" }],
    ["id", { id: "8", name: "ada" }],
  ])("is refused by the field %s where the body says %j", (field, user) => {
    expect(() => askedBy(caller, query(user))).toThrow(
      expect.objectContaining({
        code: ErrorCode.FORBIDDEN,
        message: expect.stringContaining(`user.${field} in the body`),
      }),
    );
  });
});
