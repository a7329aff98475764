/** A15: who is not who they say, asks for what is not agreed, or comes past the enforcer. */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { importJWK, type JWK, SignJWT } from "jose";
import { expect, it } from "vitest";
import { readSigningKey } from "#approval/approval-keys";
import { writeApprovalKeys } from "#approval/make-keys";
import { signApprovals } from "#approval/sign";
import { Envelope, Outcome, Reply } from "#contracts";
import { deadLetterQueue, hopId, stepTopic } from "#domain/route";
import { labelOf } from "#errors";
import type { Heard } from "../broker-tap.ts";
import type { PolicyWorld } from "../policy-world.ts";
import { openTokens, type Tokens } from "../tokens.ts";
import { q1 } from "../wage-gap-data.ts";
import { wageGapKnowledge } from "../wage-gap-knowledge.ts";

const atQuery = stepTopic("UVA", "sql-query");

const tokens: Readonly<Record<string, (own: Tokens, other: Tokens) => Promise<string | undefined>>> = {
  missing: async () => undefined,
  expired: (own) => own.issuer.sign({ user: "researcher@example.org", roles: ["researcher"] }, -600),
  "signed by somebody else": (_, other) => other.tokenOf(),
  "changed after it was signed": async (own) => {
    const [header, payload = "", signature] = (await own.tokenOf({ roles: ["auditor"] })).split(".");
    const claims = { ...JSON.parse(String(Buffer.from(payload, "base64url"))), roles: ["researcher"] };
    return [header, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
  },
  "signed by nobody": async (own) => {
    const [, payload] = (await own.tokenOf()).split(".");
    return `${Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url")}.${payload}.`;
  },
  "for another audience": async ({ issuer }) => {
    const key: JWK = JSON.parse(await readFile(join(dirname(issuer.jwksFile), "demo-key.json"), "utf8"));
    return new SignJWT({ email: "researcher@example.org", roles: ["researcher"] })
      .setProtectedHeader({ alg: "EdDSA", kid: key.kid ?? "", typ: "JWT" })
      .setIssuer(issuer.issuer)
      .setAudience("another")
      .setSubject("researcher@example.org")
      .setIssuedAt()
      .setExpirationTime("10m")
      .setJti(randomUUID())
      .sign(await importJWK(key, "EdDSA"));
  },
};

/** What UVA allows, and what is asked nevertheless. */
const beyond = [
  ["a data set", { dataSets: ["salaries"] }, {}, 403, "DENIED", "dataSets"],
  ["a request type", { requestTypes: ["genericRequest"] }, {}, 403, "DENIED", "requestTypes"],
  ["an algorithm", { allowedAlgorithms: ["averages"] }, {}, 403, "DENIED", "allowedAlgorithms"],
  ["a purpose", { purposes: ["audit"] }, { purpose: "marketing" }, 403, "DENIED", "purposes"],
  ["a column", { deniedColumns: { Personen: ["Geslacht"] } }, {}, 400, "UNKNOWN_COLUMN", undefined],
] as const;

export function forgedRequests(world: () => PolicyWorld): void {
  it.each(Object.entries(tokens))("A15: knows nobody by a token that is %s", async (_, make) => {
    const { real } = world();
    const other = await openTokens();
    try {
      const token = await make(real.tokens, other);
      const response = await fetch(`${real.system.url}/function/orchestrator/v1/queries`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify({ providers: ["UVA"], sql: q1, algorithm: "average" }),
      });
      expect({ status: response.status, body: await response.json() }).toMatchObject({
        status: 401,
        body: { code: "UNAUTHENTICATED" },
      });
      expect(response.headers.get("www-authenticate")).toMatch(/^Bearer/);
    } finally {
      await other.remove();
    }
  });

  it.each(beyond)("A15: refuses %s that is not agreed, and says which clause", async (_, change, more, ...expected) => {
    const { agree, query } = world();
    const [status, code, clause] = expected;
    await agree("UVA", change);
    const { status: answered, body } = await query({ providers: ["UVA"], ...more });
    expect({ status: answered, code: body.code }).toEqual({ status, code });
    expect(String(body.detail)).toContain("UVA");
    const clauses = ((body.reasons ?? []) as { clause?: string }[]).map((reason) => reason.clause);
    expect(clauses).toEqual(clause === undefined ? [] : [expect.stringContaining(clause)]);
  });

  it("A15: opens nothing for who calls UVA's function past everybody", async () => {
    const { folder, real } = world();
    const { envelope } = await forgedBySomebody(folder);
    for (const approvals of [[], envelope.approvals]) {
      const response = await fetch(`${real.system.url}/function/uva-sql-query`, {
        method: "POST",
        headers: { "content-type": "application/x-protobuf" },
        body: new Uint8Array(Envelope.encode({ ...envelope, approvals }).finish()),
      });
      const { decision } = Outcome.decode(new Uint8Array(await response.arrayBuffer()));
      expect(decision?.$case === "failure" ? labelOf(decision.value.code) : decision).toBe("APPROVAL_INVALID");
    }
  });

  it("A15: opens nothing for who publishes to UVA's queue past the enforcer, and puts it aside by name", async (c) => {
    const { tap, query, metrics, folder, recordsOf } = world();
    if (tap === undefined) return c.skip("the in-memory broker takes no messages from outside");
    const { body: answered } = await query({ providers: ["UVA"] });
    const isGenuine = ({ routingKey, queryId }: Heard) => routingKey === atQuery && queryId === answered.id;
    const genuine = Envelope.decode(tap.heard.find(isGenuine)?.body ?? new Uint8Array());
    const { envelope: own } = await forgedBySomebody(folder);
    const renamed = randomUUID();
    const forged: Readonly<Record<string, Envelope>> = {
      "without an approval": { ...genuine, queryId: randomUUID(), approvals: [] },
      "with its own signature": own,
      "with another's approval": { ...own, queryId: randomUUID(), approvals: genuine.approvals },
      "another query": { ...genuine, queryId: renamed, query: genuine.query && { ...genuine.query, id: renamed } },
      "another asker": { ...genuine, attempt: 2, replyTo: "reply.exchange.somebody" },
    };
    await tap.drain(deadLetterQueue("UVA"));
    const invoked = invocationsIn(await metrics());
    const since = await tap.mark();
    for (const envelope of Object.values(forged))
      await tap.send(atQuery, Envelope.encode(envelope).finish(), at(envelope));
    // As it was: it has been carried out.
    await tap.send(atQuery, Envelope.encode(genuine).finish(), at(genuine));
    const reasons: string[] = [];
    await expect
      .poll(async () => {
        for (const { properties } of await tap.drain(deadLetterQueue("UVA"))) {
          reasons.push(String(properties.headers?.["x-reason"]).split(":")[0] ?? "");
        }
        return reasons;
      })
      .toEqual(Object.keys(forged).map(() => "APPROVAL_INVALID"));
    expect(invocationsIn(await metrics())).toBe(invoked);
    await tap.mark();
    const replies = tap.heard.slice(since).flatMap(({ type, body }) => (type === "reply" ? [Reply.decode(body)] : []));
    expect(replies.filter(({ content }) => content?.$case !== "failure")).toEqual([]);
    for (const { queryId } of [own, ...Object.values(forged)].filter((one) => one.queryId !== answered.id)) {
      expect((await recordsOf("UVA", queryId)).filter(({ kind }) => kind === "release")).toEqual([]);
    }
  }, 60_000);
}

const at = ({ queryId, chain, hop, attempt }: Envelope) => ({
  messageId: hopId(queryId, chain?.id ?? "", hop, attempt),
  correlationId: queryId,
  type: "envelope",
});

/** A whole request, signed with a key that its sender has made. */
async function forgedBySomebody(folder: string) {
  const { privateFile } = await writeApprovalKeys(folder).catch(() => ({ privateFile: join(folder, "approval-key") }));
  const queryId = randomUUID();
  const wanted = Envelope.fromPartial({
    queryId,
    party: "UVA",
    step: "sql-query",
    attempt: 1,
    deadlineMs: Date.now() + 30_000,
    replyTo: "reply.exchange.somebody",
    chain: { id: "UVA", party: "UVA", role: 3, archetype: "computeToData", steps: ["sql-query"], providers: ["UVA"] },
    query: {
      id: queryId,
      requestType: "sqlDataRequest",
      user: { id: "", name: "researcher@example.org" },
      providers: ["UVA"],
      sql: "SELECT * FROM Personen",
    },
    inputs: [{ provider: "UVA" }],
    // As it would like it to be.
    knowledge: wageGapKnowledge(),
    approvals: [
      {
        queryId,
        user: { id: "", name: "researcher@example.org" },
        provider: "UVA",
        terms: { archetypes: ["computeToData"], dataSets: ["wageGap"] },
        expiresAtMs: Date.now() + 30_000,
      },
    ],
  });
  if (wanted.query === undefined) throw new RangeError("there is no query to sign for");
  const signing = { query: wanted.query, replyTo: wanted.replyTo, attempt: 1, nowMs: Date.now() };
  const key = await readSigningKey(privateFile);
  return { envelope: { ...wanted, approvals: signApprovals(wanted.approvals, { ...signing, key }) } };
}

/** Of UVA's function that opens the data. */
function invocationsIn(metrics: string): number {
  const counts = metrics.matchAll(
    /^dynamos_invocation_seconds_count\{party="UVA",function="uva-sql-query",[^}]*\} (\d+)$/gm,
  );
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}
