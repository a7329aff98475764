import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ActedWorld, openActedWorld } from "#testing/acted-world";
import { type KnowledgeApp, openKnowledgeApp } from "#testing/knowledge-app";
import { demoUser } from "../../cli/demo/documents.ts";
import type { Caller } from "./caller.ts";
import { policyApi } from "./policy-api.ts";

const researcher: Caller = { subject: "r-1", user: { id: "", name: demoUser }, roles: ["researcher"], party: "" };
const steward: Caller = { subject: "s-1", user: { id: "", name: "steward" }, roles: ["steward"], party: "VU" };

// biome-ignore lint/suspicious/noExplicitAny: what a test reads of an answer is what it asserts.
type Json = any;

let acted: ActedWorld;
let app: KnowledgeApp;

beforeEach(async () => {
  acted = await openActedWorld();
  app = openKnowledgeApp(policyApi, researcher, acted.world.knowledge);
});
afterEach(() => acted.world.close());

const send = async (path: string, body: unknown): Promise<Json> => (await app.send("POST", path, body)).json();
const explain = (body: object) => send("/explain", body);
const agreementOf = async (name: string): Promise<Json> =>
  JSON.parse((await app.knowledge.get(`/agreements/${name}`))?.value ?? "{}");
const change = async (name: string, edit: (agreement: Json) => void) => {
  const agreement = await agreementOf(name);
  edit(agreement);
  return app.knowledge.put(`/agreements/${name}`, JSON.stringify(agreement));
};
/** In place of the party's sidecars, which have nothing to say while they are idle. */
const sayLoad = async (party: string, load: number) => {
  const { entries } = await app.knowledge.list(`/online/${party}/`);
  for (const { key } of entries) await app.knowledge.put(key, JSON.stringify({ load }));
};
const clause = ({ clauses }: Json, name: string): Json => clauses.find((one: Json) => one.name === name);

describe("POST /v1/policy/explain", () => {
  it.each([
    ["at home", {}],
    ["through the third party", { options: { aggregate: true } }],
    ["of one who refuses", { providers: ["RUG", "UVA"] }],
    ["of one who is offline", { providers: ["RUG", "VU"] }],
  ])("gives the verdicts, the choice and the plan of the run: %s", async (_, more) => {
    const body = { providers: ["UVA", "VU"], ...more };
    const explained = await explain(body);
    const run: Json = (await acted.world.ask({ sql: "SELECT 1", ...body })).body;
    expect(explained.allowed).toBe(true);
    expect(explained.plan).toEqual(run.plan);
    expect(explained.archetypes).toEqual(run.archetypes);
    const bare = ({ clauses, remedies, ...verdict }: Json) => verdict;
    const terms = (verdicts: Json[]) => verdicts.map(bare).filter(({ allowed }) => allowed);
    expect(terms(explained.verdicts)).toEqual(terms(run.verdicts));
    expect(explained.archetypes[0].considered).not.toEqual([]);
  });

  it("names the revisions that it was computed on, of the store and of each agreement", async () => {
    const first = await explain({ providers: ["VU"] });
    const revision = await change("VU", (agreement) => {
      agreement.archetypes = ["dataThroughTtp"];
    });
    const second = await explain({ providers: ["VU"] });
    expect(second.revision).toBeGreaterThanOrEqual(revision);
    expect(second.verdicts[0].agreementRevision).toBe(revision);
    expect(first.verdicts[0].agreementRevision).toBeLessThan(revision);
    expect(second.archetypes[0].archetype).toBe("dataThroughTtp");
  });

  it("counts the load that the parties say, as a run would", async () => {
    const body = { providers: ["UVA", "VU"] };
    expect((await explain(body)).archetypes).toMatchObject([{ archetype: "computeToData", rule: "weight" }]);
    await sayLoad("VU", 0.9);
    const explained = await explain(body);
    expect(explained.archetypes).toMatchObject([
      {
        archetype: "dataThroughTtp",
        rule: "load",
        why: expect.stringMatching(/^VU is at 90 % of its capacity, and SURF is at 0 % of its capacity: SURF computes/),
        considered: expect.arrayContaining([{ archetype: "computeToData", reason: "VU is at 90 % of its capacity" }]),
      },
    ]);
    const run: Json = (await acted.world.ask({ sql: "SELECT 1", ...body })).body;
    expect(run.archetypes).toEqual(explained.archetypes);
  });

  it("says of a refusal which clauses fail, what was compared and what would have to change", async () => {
    await change("VU", (agreement) => {
      agreement.relations[demoUser].allowedAlgorithms = ["average"];
      agreement.relations[demoUser].purposes = ["research"];
    });
    const { allowed, verdicts } = await explain({ providers: ["VU"], algorithm: "sum" });
    expect(allowed).toBe(false);
    const [verdict] = verdicts;
    expect(verdict.clauses.filter((one: Json) => !one.holds).map((one: Json) => one.name)).toEqual([
      "allowedAlgorithms",
      "purposes",
    ]);
    expect(clause(verdict, "allowedAlgorithms")).toMatchObject({
      compared: "allows average; asked for sum",
      reasons: [{ code: "DENIED", clause: `relations["${demoUser}"].allowedAlgorithms` }],
    });
    expect(clause(verdict, "dataSets")).toEqual({
      name: "dataSets",
      holds: true,
      compared: "allows wageGap and has wageGap; asked for any",
    });
    const path = `relations["${demoUser}"].allowedAlgorithms`;
    expect(verdict.remedies[0]).toEqual({
      clause: "allowedAlgorithms",
      alternatives: [
        { text: `VU adds sum to ${path}`, changes: [{ agreement: "VU", path, add: "sum" }] },
        {
          text: "ask for algorithm average",
          changes: [{ request: { algorithm: { name: "average", column: "", groupBy: [] } } }],
        },
      ],
    });
    // The asker's own moves are enough.
    expect(await explain({ providers: ["VU"], algorithm: "average", purpose: "research" })).toMatchObject({
      allowed: true,
    });
  });

  it("says what would make a plan where policy allows and nothing can run", async () => {
    await change("VU", (agreement) => {
      agreement.archetypes = ["dataThroughTtp"];
    });
    await acted.world.stopParty("SURF");
    const { allowed, reasons, remedies, verdicts } = await explain({ providers: ["VU"] });
    expect(allowed).toBe(false);
    expect(verdicts).toMatchObject([{ allowed: true }]);
    expect(reasons).toMatchObject([{ code: "COMPUTE_PROVIDER_OFFLINE" }, { code: "NO_COMMON_ARCHETYPE" }]);
    expect(remedies.map(({ text }: Json) => text)).toEqual(
      expect.arrayContaining(["SURF comes online", "VU adds computeToData to archetypes"]),
    );
  });

  it("uses no query up and starts none", async () => {
    await change("VU", (agreement) => {
      agreement.relations[demoUser].queriesPerPeriod = { max: 1, period: "P1D" };
    });
    for (let i = 0; i < 3; i += 1) expect(await explain({ providers: ["VU"] })).toMatchObject({ allowed: true });
    expect(acted.calls).toEqual({});
    expect((await acted.world.ask({ providers: ["VU"], sql: "SELECT 1" })).status).toBe(200);
    const { verdicts, allowed } = await explain({ providers: ["VU"] });
    expect(allowed).toBe(false);
    expect(clause(verdicts[0], "queriesPerPeriod")).toMatchObject({
      holds: false,
      compared: "allows 1 in 1 day; 1 asked in this one",
      reasons: [{ code: "RATE_LIMITED" }],
    });
    expect(verdicts[0].remedies[0].alternatives[1].text).toMatch(/^ask again from \d{4}-/);
  });

  it("tells a researcher about nobody else", async () => {
    await change("VU", (agreement) => {
      agreement.relations["another@example.org"] = { ...agreement.relations[demoUser], ID: "secret-id" };
      agreement.relations[demoUser].ID = "my-secret-id";
    });
    const other = await app.send("POST", "/explain", { user: { name: "another@example.org" }, providers: ["VU"] });
    expect(other.status).toBe(403);
    const own = JSON.stringify(await explain({ providers: ["VU", "UVA", "RUG"] }));
    expect(own).not.toContain("another@example.org");
    expect(own).not.toContain("secret-id");
    app.caller = steward;
    const asked = await explain({ user: { name: "another@example.org" }, providers: ["VU"] });
    expect(asked.verdicts[0].clauses[0].compared).toContain("another@example.org");
    expect(JSON.stringify(asked)).not.toContain("secret-id");
  });

  it("says who is not known, and who was probably meant", async () => {
    const { verdicts } = await explain({ providers: ["UVAA", "VU"] });
    expect(verdicts[0]).toMatchObject({
      provider: "UVAA",
      allowed: false,
      clauses: [{ name: "relations", holds: false, reasons: [{ code: "UNKNOWN_PROVIDER" }] }],
      remedies: [{ alternatives: [{ text: "ask VU, UVA only" }, { text: "ask VU only" }] }],
    });
  });
});

describe("POST /v1/policy/diff", () => {
  const requests = [
    { user: { name: demoUser }, providers: ["UVA", "VU"] },
    { user: { name: demoUser }, providers: ["VU"], options: { aggregate: true } },
    { user: { name: "new@example.org" }, providers: ["VU"] },
    { user: { name: demoUser }, providers: ["UVA"] },
  ];

  it("compares as if everybody had room: a policy is no other one because somebody is busy", async () => {
    app.caller = steward;
    await sayLoad("VU", 0.9);
    const agreement = await agreementOf("VU");
    agreement.archetypes = ["computeToData"];
    const { flips } = await send("/diff", { agreement, requests: requests.slice(0, 1) });
    expect(flips).toMatchObject([{ changes: [{ provider: "VU", kind: "terms" }] }]);
  });

  it("says which requests flip, and how, before anything is stored", async () => {
    app.caller = steward;
    const agreement = await agreementOf("VU");
    const before = (await app.knowledge.get("/agreements/VU"))?.revision;
    agreement.relations["new@example.org"] = agreement.relations[demoUser];
    agreement.archetypes = ["computeToData"];
    const { flips, requests: count } = await send("/diff", { agreement, requests });
    expect(count).toBe(4);
    expect(flips).toMatchObject([
      { request: 0, changes: [{ provider: "VU", kind: "terms" }] },
      {
        request: 1,
        changes: [{ provider: "VU", kind: "refused", after: { reasons: [{ code: "NO_COMMON_ARCHETYPE" }] } }],
      },
      { request: 2, user: "new@example.org", changes: [{ provider: "VU", kind: "allowed" }] },
    ]);
    expect((await app.knowledge.get("/agreements/VU"))?.revision).toBe(before);
  });

  it("sees that others change along", async () => {
    app.caller = { ...steward, party: "UVA" };
    const agreement = await agreementOf("UVA");
    agreement.archetypes = ["dataThroughTtp"];
    const { flips } = await send("/diff", { agreement, requests: requests.slice(0, 1) });
    expect(flips[0].changes.map(({ provider, kind }: Json) => [provider, kind])).toEqual([
      ["UVA", "archetype"],
      ["VU", "archetype"],
    ]);
    expect(flips[0].changes[1]).toMatchObject({
      before: { archetype: "computeToData" },
      after: { archetype: "dataThroughTtp", computeProvider: "SURF" },
    });
  });

  it("finds nothing where nothing changes", async () => {
    app.caller = { ...steward, roles: ["operator"], party: "" };
    expect((await send("/diff", { agreement: await agreementOf("VU"), requests })).flips).toEqual([]);
  });

  it("is for the steward of that party, or an operator", async () => {
    app.caller = steward;
    const agreement = await agreementOf("UVA");
    expect((await app.send("POST", "/diff", { agreement, requests })).status).toBe(403);
  });

  it("names the path of what is wrong in the agreement or in a request", async () => {
    app.caller = steward;
    const agreement = await agreementOf("VU");
    const wrong = async (body: object) => (await send("/diff", body)).errors;
    expect(await wrong({ agreement, requests: [requests[0], { providers: [] }] })).toMatchObject([
      { path: "/requests/1/providers" },
    ]);
    expect(await wrong({ agreement, requests: [{ providers: ["VU"] }] })).toMatchObject([{ path: "/requests/0/user" }]);
    expect(await wrong({ agreement: { name: "VU" }, requests })).toMatchObject([{ path: "/agreement" }]);
    expect(await wrong({ agreement })).toMatchObject([{ path: "/requests" }]);
  });
});
