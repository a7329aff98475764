/**
 * Policy as its users meet it: what a steward changes holds at once, for jobs, for running queries, for whoever
 * comes with a forged token or past the enforcer, and it is on record. Over the whole system and the public data,
 * once over each broker; over RabbitMQ the sidecars are processes of their own.
 */
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { leavingOf } from "#testing/broker-tap";
import { forgedRequests } from "#testing/policy-scenarios/forged";
import { offlineProviders } from "#testing/policy-scenarios/offline";
import { onRecord } from "#testing/policy-scenarios/on-record";
import { stoppedQueries } from "#testing/policy-scenarios/stopped";
import { archetypesOf, both, openPolicyWorld, type PolicyWorld, researcher } from "#testing/policy-world";
import { golden, hasWageGapData, numbersByParty, q1 } from "#testing/wage-gap-data";

const hasData = hasWageGapData();
const atHome = ["computeToData"];
const byThirdParty = ["dataThroughTtp"];
const byParty = { UVA: golden.Q1.UVA, VU: golden.Q1.VU };

describe.skipIf(!hasData).each([
  ["the in-memory broker", "in-process", false],
  ["RabbitMQ", "processes", inject("amqpUrl") === ""],
] as const)("over %s", (broker, sidecars, isMissing) => {
  describe.skipIf(isMissing)("policy", () => {
    let world: PolicyWorld;
    const ofJob = (id: unknown) => world.job("POST", `/${id}/queries`, { sql: q1 });
    const newJob = async (more: object = {}) => {
      const { status, body } = await world.job("POST", "", { providers: both, algorithm: "average", ...more });
      expect(status).toBe(201);
      return body.id;
    };

    beforeAll(async () => {
      world = await openPolicyWorld(sidecars);
      // What a function and a sidecar do once, they have done by now.
      await world.query();
    }, 180_000);

    afterEach(() => world.restore(), 30_000);

    afterAll(async () => {
      const { putMs = [], stopMs = [] } = world ?? {};
      process.stdout.write(`${broker}: ${figures("PUT to its answer", putMs)}; ${figures("PUT to stop", stopMs)}\n`);
      await world?.close();
    }, 60_000);

    it("A7, A8: a job goes to the third party and back as agreements change, and leaves nothing there", async () => {
      const id = await newJob();
      expect(numbersByParty(await ofJob(id))).toEqual(byParty);
      expect(await leftUva()).toEqual(world.tap && new Set(["a result"]));
      for (const name of both) await world.agree(name, { allowedArchetypes: byThirdParty });
      const union = await ofJob(id);
      expect(archetypesOf(union)).toEqual(byThirdParty);
      expect(numbersByParty(union)).toEqual({ SURF: golden.Q1.SURF });
      expect(await leftUva()).toEqual(world.tap && new Set(["a result", "a chunk", "a part"]));
      for (const name of both) await world.agree(name, { allowedArchetypes: atHome });
      const back = await ofJob(id);
      expect(archetypesOf(back)).toEqual(atHome);
      expect(numbersByParty(back)).toEqual(byParty);
      await expect.poll(world.metrics).toMatch(/^dynamos_open_gathers\{party="SURF"\} 0$/m);
      await expect.poll(queuesLeft, { timeout: 20_000, interval: 1_000 }).toEqual([]);
    }, 60_000);

    /** What of UVA's data any message took elsewhere so far: what the scenarios of stops look for is seen. */
    async function leftUva(): Promise<Set<string> | undefined> {
      await world.tap?.mark();
      return world.tap && new Set(world.tap.heard.flatMap((one) => leavingOf(one, "UVA") ?? []));
    }

    /** Queues of the third party with something in them, and transfers. */
    async function queuesLeft(): Promise<string[]> {
      const queues = (await world.rabbitmq?.queues()) ?? [];
      const left = queues.filter(({ name, ready, unacknowledged }) =>
        name.startsWith("surf.") ? ready + unacknowledged > 0 : name.startsWith("transfer."),
      );
      return left.map(({ name }) => name);
    }

    it("A10: all jobs of a user end at a steward who allows no archetype, and end when nobody is left", async () => {
      const ids = [await newJob(), await newJob()];
      const states = () => Promise.all(ids.map(async (id) => (await world.job("GET", `/${id}`)).body));
      await world.agree("UVA", { allowedArchetypes: [] });
      const atVu = { status: "active", providers: ["VU"], withdrawn: [{ provider: "UVA" }] };
      await expect.poll(states).toMatchObject([atVu, atVu]);
      expect(numbersByParty(await ofJob(ids[0]))).toEqual({ VU: golden.Q1.VU });
      await world.agree("VU", { allowedArchetypes: [] });
      const ended = { status: "ended", ended: { cause: "revoked" } };
      await expect.poll(states).toMatchObject([ended, ended]);
      await world.restore();
      expect(await ofJob(ids[1])).toMatchObject({ status: 403, body: { code: "REVOKED" } });
    }, 60_000);

    it("A11: a weight of 300 on computeToData takes the third party where it is allowed, and only there", async () => {
      const { real, query, agree } = world;
      const archetype = real.original("archetypes", "computeToData");
      const weigh = async (weight: unknown) => {
        expect((await real.put("archetypes", "computeToData", { ...archetype, weight })).status).toBe(200);
      };
      await weigh(300);
      expect(numbersByParty(await query())).toEqual({ SURF: golden.Q1.SURF });
      await agree("UVA", { allowedArchetypes: atHome });
      expect(archetypesOf(await query({ providers: ["VU"] }))).toEqual(byThirdParty);
      expect(numbersByParty(await query({ providers: ["UVA"] }))).toEqual({ UVA: golden.Q1.UVA });
      await weigh(archetype.weight);
      expect(archetypesOf(await query({ providers: ["VU"] }))).toEqual(atHome);
    }, 60_000);

    it("A14: a job that is idle past its lease ends, and a query in between renews it", async () => {
      const leaseMs = 4_000;
      const id = await newJob({ leaseMs });
      for (const until = Date.now() + leaseMs + 1_000; Date.now() < until; await wait(500)) {
        expect((await ofJob(id)).status).toBe(200);
      }
      await expect
        .poll(async () => (await world.job("GET", `/${id}`)).body, { timeout: 20_000, interval: 300 })
        .toMatchObject({ status: "ended", ended: { cause: "expired" } });
      expect(await ofJob(id)).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
    }, 60_000);

    it("A29: a policy that is replaced decides the very next query, there and back", async () => {
      for (const change of [undefined, {}, { allowedArchetypes: [] }, {}]) {
        await world.agree("VU", change);
        const { status } = await world.query({ providers: ["VU"] });
        expect(status).toBe(change !== undefined && Object.keys(change).length === 0 ? 200 : 403);
      }
      const history = await world.real.call("GET", "agreements", "VU/history?limit=1");
      expect(history.status).toBe(200);
    }, 60_000);

    it.each([
      [
        "a wrong type",
        (relation: object) => ({ ...relation, allowedArchetypes: "computeToData" }),
        "/allowedArchetypes",
      ],
      ["an unknown clause", (relation: object) => ({ ...relation, allowedEverything: true }), ""],
      ["a clause that is missing", () => ({ requestTypes: ["sqlDataRequest"] }), ""],
    ])(
      "A29: rejects a policy with %s by its path, and keeps the old one in force",
      async (_, change, path) => {
        const { real, query } = world;
        const before = await real.call("GET", "agreements", "UVA");
        const agreement = real.original("agreements", "UVA");
        const relations = agreement.relations as Record<string, object>;
        const invalid = { ...relations, [researcher]: change(relations[researcher] ?? {}) };
        const answer = await real.put("agreements", "UVA", { ...agreement, relations: invalid });
        expect(answer).toMatchObject({ status: 400, body: { code: "INVALID_REQUEST" } });
        const paths = (answer.body.errors as { path: string }[]).map((error) => error.path);
        expect(paths).toContainEqual(expect.stringContaining(`/relations/${researcher}${path}`));
        const after = await real.call("GET", "agreements", "UVA");
        expect(after.headers.get("etag")).toBe(before.headers.get("etag"));
        expect(after.body).toEqual(before.body);
        expect(await query({ providers: ["UVA"] })).toMatchObject({ status: 200, body: { complete: true } });
      },
      30_000,
    );

    it.each([
      ["a row filter", { rowFilters: { Persoonen: "Geslacht = 'V'" } }, "rowFilters"],
      ["denied columns", { deniedColumns: { Persoonen: ["Geslacht"] } }, "deniedColumns"],
    ])(
      "rejects a policy with %s of a table that there is not, as it would protect nothing",
      async (_, change, clause) => {
        const { real } = world;
        const agreement = real.original("agreements", "UVA");
        const relations = agreement.relations as Record<string, object>;
        const mistaken = { ...relations, [researcher]: { ...relations[researcher], ...change } };
        expect(await real.put("agreements", "UVA", { ...agreement, relations: mistaken })).toMatchObject({
          status: 400,
          body: {
            code: "INVALID_REQUEST",
            errors: [
              {
                path: `relations["${researcher}"].${clause}.Persoonen`,
                message: "there is no table Persoonen in wageGap: did you mean Personen?",
              },
            ],
          },
        });
      },
      30_000,
    );

    stoppedQueries(() => world);
    forgedRequests(() => world);
    offlineProviders(() => world, sidecars);
    onRecord(() => world);
  });
});

function figures(what: string, ms: readonly number[]): string {
  const sorted = ms.map(Math.round).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return `${what} ${median} ms in the median of ${ms.length}, ${sorted.at(-1) ?? 0} ms at most`;
}
