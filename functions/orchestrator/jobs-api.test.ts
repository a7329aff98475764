/** Jobs over HTTP, on real sidecars and control steps. Over both brokers. */
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { agreementKey, archetypeKey } from "#domain/knowledge-keys";
import { type ActedWorld, actedParties, actedQueues, openActedWorld } from "#testing/acted-world";
import { brokerLinks } from "#testing/broker-links";
import { openTokens } from "#testing/tokens";
import { type App, createApp } from "./app.ts";

const user = "researcher@example.org";
const relation = {
  requestTypes: ["sqlDataRequest"],
  dataSets: ["wageGap"],
  allowedArchetypes: ["computeToData", "dataThroughTtp"],
  allowedComputeProviders: ["SURF"],
};
type Json = Record<string, unknown>;

describe.each([
  ["the in-memory broker", "memory"],
  ["RabbitMQ", inject("amqpUrl")],
])("jobs over %s", (_, url) => {
  describe.skipIf(url === "")("", () => {
    let acted: ActedWorld;
    let app: App;
    let links: ReturnType<typeof brokerLinks>;
    let tokens: Awaited<ReturnType<typeof openTokens>>;

    beforeEach(async () => {
      links = brokerLinks(url, { queues: actedQueues, parties: actedParties });
      acted = await openActedWorld(links.connect);
      tokens = await openTokens();
      const { api } = acted.world;
      app = createApp({ api, exchangeParty: "exchange", log: createMemoryLog(), verify: tokens.verify });
    }, 60_000);
    afterEach(async () => {
      await app?.close();
      await acted?.world.close();
      await links?.remove();
      await tokens?.remove();
    }, 60_000);

    async function call(method: string, path: string, body?: object, who: object = {}) {
      const headers = { "content-type": "application/json", ...(await tokens.headerOf(who)) };
      const request = new Request(`http://h/v1/jobs${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const response = await app.fetch(request);
      return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
    }

    async function made(more: object = {}): Promise<string> {
      const { status, body } = await call("POST", "", { providers: ["UVA", "VU"], ...more });
      expect(status).toBe(201);
      return `/${body.id}`;
    }

    const query = { sql: "SELECT 1" };
    const archetypesOf = ({ body }: { body: Json }) =>
      (body.archetypes as { archetype: string; providers: string[] }[]).map(({ archetype }) => archetype);

    async function agree(party: string, change: object): Promise<void> {
      await put(agreementKey(party), {
        name: party,
        relations: { [user]: { ...relation, ...change } },
        computeProviders: ["SURF"],
        archetypes: ["computeToData", "dataThroughTtp"],
      });
    }
    async function put(key: string, value: object): Promise<void> {
      const { knowledge, api } = acted.world;
      const revision = await knowledge.put(key, JSON.stringify(value));
      expect((await api.applied(revision, 5_000)).waiting).toEqual([]);
    }

    it("are approved once and used for several queries", async () => {
      const job = await made();
      const [first, second] = [
        await call("POST", `${job}/queries`, query),
        await call("POST", `${job}/queries`, query),
      ];
      expect([first.status, second.status]).toEqual([200, 200]);
      expect(archetypesOf(first)).toEqual(["computeToData"]);
      expect(first.body.id).not.toBe(second.body.id);
    });

    it("take to the third party and back what the agreements change (A7, A8)", async () => {
      const job = await made();
      expect(archetypesOf(await call("POST", `${job}/queries`, query))).toEqual(["computeToData"]);
      for (const party of ["UVA", "VU"]) await agree(party, { allowedArchetypes: ["dataThroughTtp"] });
      expect(archetypesOf(await call("POST", `${job}/queries`, query))).toEqual(["dataThroughTtp"]);
      expect(archetypesOf(await call("GET", job))).toEqual(["dataThroughTtp"]);
      for (const party of ["UVA", "VU"]) await agree(party, { allowedArchetypes: ["computeToData"] });
      expect(archetypesOf(await call("POST", `${job}/queries`, query))).toEqual(["computeToData"]);
      const atSurf = acted.world.sidecars.get("SURF")?.status();
      expect(atSurf).toMatchObject({ openGathers: 0 });
    });

    it("end at a steward who allows no archetype any more, and everywhere when nobody is left (A10)", async () => {
      const job = await made();
      await agree("UVA", { allowedArchetypes: [] });
      await expect
        .poll(async () => (await call("GET", job)).body)
        .toMatchObject({ status: "active", providers: ["VU"], withdrawn: [{ provider: "UVA" }] });
      const answer = await call("POST", `${job}/queries`, query);
      expect((answer.body.results as Json[]).map(({ party }) => party)).toEqual(["VU"]);
      await agree("VU", { allowedArchetypes: [] });
      await expect
        .poll(async () => (await call("GET", job)).body)
        .toMatchObject({ status: "ended", ended: { cause: "revoked" } });
      // What comes back later does not bring a job back.
      await agree("VU", {});
      expect(await call("POST", `${job}/queries`, query)).toMatchObject({ status: 403, body: { code: "REVOKED" } });
    });

    it("follow the weights of archetypes (A11)", async () => {
      const job = await made();
      const atHome = { name: "computeToData", computeProvider: "dataProvider", resultRecipient: "requestor" };
      await put(archetypeKey("computeToData"), { ...atHome, weight: 300 });
      expect(archetypesOf(await call("POST", `${job}/queries`, query))).toEqual(["dataThroughTtp"]);
      await agree("UVA", { allowedArchetypes: ["computeToData"] });
      expect(archetypesOf(await call("POST", `${job}/queries`, query))).toEqual(["computeToData"]);
    });

    it("end when nobody uses them for their lease, which a query renews (A14)", async () => {
      const job = await made({ leaseMs: 4_000 });
      const until = Date.now() + 6_000;
      while (Date.now() < until) {
        expect((await call("POST", `${job}/queries`, query)).status).toBe(200);
        await new Promise((resume) => setTimeout(resume, 400));
      }
      await expect
        .poll(async () => (await call("GET", job)).body, { timeout: 10_000 })
        .toMatchObject({ status: "ended", ended: { cause: "expired", message: "no query for 4000 ms" } });
      expect(await call("POST", `${job}/queries`, query)).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
      const stored = async () => (await acted.world.knowledge.get(`/jobs${job}`))?.value;
      await expect.poll(stored, { timeout: 10_000 }).toContain("expired");
    }, 30_000);

    it("end when their owner says so, with what runs under them", async () => {
      acted.behaviours["UVA sql-query"] = () => new Promise(() => {});
      const job = await made();
      const running = call("POST", `${job}/queries`, query);
      await expect.poll(() => acted.calls["UVA sql-query"] ?? 0).toBe(1);
      expect(await call("DELETE", job)).toMatchObject({ status: 200, body: { ended: { cause: "deleted" } } });
      const { body } = await running;
      expect([body, ...((body.failed ?? []) as Json[])]).toContainEqual(expect.objectContaining({ code: "CANCELLED" }));
      expect(await call("POST", `${job}/queries`, query)).toMatchObject({ status: 404 });
    });

    it("are their owner's alone", async () => {
      const job = await made();
      const stranger = { user: "stranger@example.org" };
      for (const [method, path, body] of [
        ["GET", job, undefined],
        ["DELETE", job, undefined],
        ["POST", `${job}/queries`, query],
      ] as const) {
        expect(await call(method, path, body, stranger)).toMatchObject({ status: 404 });
      }
      expect((await call("GET", job)).body.status).toBe("active");
    });

    it.each([
      [{ providers: ["UVA"], sql: "SELECT 1" }, "/sql"],
      [{ providers: ["UVA"], leaseMs: 5 }, "/leaseMs"],
      [{ providers: [] }, "/providers"],
      [[], ""],
    ])("are refused with %j, by path", async (body, path) => {
      const answer = await call("POST", "", body);
      expect(answer).toMatchObject({ status: 400, body: { code: "INVALID_REQUEST" } });
      expect((answer.body.errors as { path: string }[]).map((error) => error.path)).toContain(path);
    });

    it("take no queries that say what is the job's", async () => {
      const job = await made();
      const answer = await call("POST", `${job}/queries`, { ...query, providers: ["RUG"] });
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: "/providers" }] } });
    });

    it("are refused with every reason when nobody allows them", async () => {
      expect(await call("POST", "", { providers: ["RUG"] })).toMatchObject({ status: 403, body: { code: "DENIED" } });
    });
  });
});
