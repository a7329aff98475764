/**
 * The whole system as a user meets it: gateway, function processes, single-use workers and
 * sidecars, over the public data, once over each broker. Golden numbers: recomputed from the
 * public files with SQLite.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { openRealSystem, type RealSystem } from "#testing/real-system";
import {
  golden,
  hasWageGapData,
  numbersByParty,
  numbersOf,
  q1,
  q4,
  type ResultJson,
  resultsOf,
} from "#testing/wage-gap-data";
import { ask, type Orchestrator, type QueryBody } from "../commands/ask.ts";
import type { System } from "./start-system.ts";

const hasData = hasWageGapData();
const amqpUrl = inject("amqpUrl");
const both = ["VU", "UVA"];

describe.skipIf(!hasData).each([
  ["the in-memory broker", "memory"],
  ["RabbitMQ", amqpUrl],
])("over %s", (_, broker) => {
  describe.skipIf(broker === "")("the public data", () => {
    let real: RealSystem;
    let system: System;
    let orchestrator: Orchestrator;
    const query = (body: Partial<QueryBody>) =>
      ask(orchestrator, { providers: both, sql: q1, algorithm: "average", ...body });
    const changeAgreement: RealSystem["changeAgreement"] = (name, change) => real.changeAgreement(name, change);
    const restore = async () => {
      for (const name of both) await changeAgreement(name, (agreement) => agreement);
    };

    beforeAll(async () => {
      real = await openRealSystem({ broker, sidecars: "in-process" });
      ({ system, orchestrator } = real);
    }, 120_000);

    afterAll(() => real?.stop(), 30_000);

    it("A1: computes at each provider and names the refused one", async () => {
      const answer = await query({ providers: ["VU", "UVA", "RUG"], sql: q4 });
      expect(answer.status).toBe(200);
      expect(numbersByParty(answer)).toEqual({ UVA: golden.Q4.UVA, VU: golden.Q4.VU });
      expect(answer.body).toMatchObject({
        archetypes: [{ archetype: "computeToData" }],
        refused: [
          {
            provider: "RUG",
            code: "DENIED",
            reasons: [{ message: expect.stringContaining("researcher@example.org") }],
          },
        ],
      });
      expect(JSON.stringify(answer.body.plan)).not.toContain("SURF");
    });

    it.each([
      ["Q1", q1],
      ["Q4", q4],
    ] as const)("%s gives the golden numbers at home and through the third party", async (name, sql) => {
      for (const result of resultsOf(await query({ sql }))) {
        expect(numbersOf(result)).toEqual(golden[name][result.party as "UVA" | "VU"]);
      }
      const [union] = resultsOf(await query({ sql, options: { aggregate: true } }));
      expect(union?.party).toBe("SURF");
      expect(numbersOf(union as ResultJson)).toEqual(golden[name].SURF);
    });

    it("A2: goes through the third party when agreements allow nothing else", async () => {
      for (const name of both)
        await changeAgreement(name, (agreement) => ({ ...agreement, archetypes: ["dataThroughTtp"] }));
      const answer = await query({});
      await restore();
      expect(answer.body).toMatchObject({ archetypes: [{ archetype: "dataThroughTtp", computeProvider: "SURF" }] });
      expect(resultsOf(answer).map(numbersOf)).toEqual([golden.Q1.SURF]);
    });

    it("A3: cuts UVA's dates to the year because its steward demands it, and not VU's", async () => {
      const { algorithm: _, ...rows } = { algorithm: undefined };
      const answer = await ask(orchestrator, {
        providers: both,
        sql: "SELECT Unieknr, Gebdat FROM Personen ORDER BY 1 LIMIT 5",
        ...rows,
      });
      const dates = Object.fromEntries(
        resultsOf(answer).map(({ party, rows: [first] }) => [party, String(first?.[1])]),
      );
      expect(dates).toEqual({ UVA: expect.stringMatching(/^\d{4}$/), VU: expect.stringMatching(/^\d{8}$/) });
    });

    it("A4: draws a chart when asked", async () => {
      const answer = await query({ options: { graph: true } });
      for (const { chart } of resultsOf(answer)) expect(chart?.svg).toMatch(/^<svg[\s\S]*<title>[\s\S]*<\/svg>\s*$/);
      expect(resultsOf(answer)).toHaveLength(2);
    });

    it("A5: the same call with aggregate goes through the third party, the next without it does not", async () => {
      const archetypes = [];
      for (const options of [{}, { aggregate: true }, {}]) {
        const { body } = await query({ options });
        archetypes.push((body.archetypes as { archetype: string }[]).map(({ archetype }) => archetype));
      }
      expect(archetypes).toEqual([["computeToData"], ["dataThroughTtp"], ["computeToData"]]);
    });

    it("A6: refuses clearly what one steward forbids", async () => {
      await changeAgreement("VU", (agreement) => ({ ...agreement, archetypes: ["computeToData"] }));
      const answer = await query({ options: { aggregate: true } });
      await restore();
      expect(answer).toMatchObject({ status: 409, body: { code: "NO_COMMON_ARCHETYPE" } });
      expect(String(answer.body.detail)).toContain("VU");
    });

    it("A13: refuses an unknown provider at once by name", async () => {
      const answer = await query({ providers: ["UVA", "HARVARD"] });
      expect(answer.body).toMatchObject({ refused: [{ provider: "HARVARD", code: "UNKNOWN_PROVIDER" }] });
      expect(await query({ providers: ["HARVARD"] })).toMatchObject({
        status: 404,
        body: { code: "UNKNOWN_PROVIDER" },
      });
    });

    it.each([
      ["computeToData", {}, 2],
      ["dataThroughTtp", { aggregate: true }, 1],
    ])(
      "A16: 100 repeats of %s give 100 complete answers",
      async (_, options, count) => {
        for (let i = 0; i < 100; i++) {
          const answer = await query({ options });
          expect(answer).toMatchObject({ status: 200, body: { complete: true } });
          expect(resultsOf(answer)).toHaveLength(count);
          for (const result of resultsOf(answer)) expect(numbersOf(result)).toEqual(golden.Q1[result.party as "UVA"]);
        }
      },
      900_000,
    );

    it("A17: twenty parallel queries of one user do not cross", async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          ask(orchestrator, {
            providers: both,
            sql: `SELECT ${i} AS mine, count(*) AS n FROM Personen`,
            options: { aggregate: i % 2 === 0 },
          }),
        ),
      );
      for (const [i, answer] of answers.entries()) {
        const mine = resultsOf(answer).flatMap(({ rows }) => rows.map(([value]) => value));
        expect(mine).toEqual([i, i]);
      }
    }, 60_000);

    it("A21: one steward at home and one through the third party, in one request", async () => {
      await changeAgreement("VU", (agreement) => ({ ...agreement, archetypes: ["computeToData"] }));
      await changeAgreement("UVA", (agreement) => ({ ...agreement, archetypes: ["dataThroughTtp"] }));
      const answer = await query({});
      await restore();
      expect(numbersByParty(answer)).toEqual({ VU: golden.Q1.VU, SURF: golden.Q1.UVA });
    });

    it("gives the averages in the original's shape where asked", async () => {
      const answer = await query({ algorithm: "averages", providers: ["UVA"] });
      expect(resultsOf(answer)[0]?.document?.content).toEqual({
        avg_salary_scale_men: "11.877",
        avg_salary_scale_women: "10.597",
      });
    });

    it("answers the README's query, a JOIN without ON, with every column", async () => {
      const answer = await ask(orchestrator, {
        providers: ["UVA"],
        sql: "SELECT * FROM Personen p JOIN Aanstellingen s LIMIT 1000",
      });
      expect(resultsOf(answer)[0]).toMatchObject({ columns: { length: 21 }, rows: { length: 1000 } });
    });

    it.each([
      ["broken SQL", { sql: "SELEC 1" }, 400, "SQL_INVALID"],
      ["a statement that is no SELECT", { sql: "DROP TABLE Personen" }, 403, "SQL_REFUSED"],
      ["a file instead of a table", { sql: "SELECT * FROM read_csv('/etc/passwd')" }, 403, "SQL_REFUSED"],
      ["an unknown table", { sql: "SELECT * FROM Persona" }, 400, "UNKNOWN_TABLE"],
      ["an unknown column", { sql: "SELECT Geslach FROM Personen" }, 400, "UNKNOWN_COLUMN"],
      ["an unknown algorithm", { algorithm: "modus" }, 400, "UNKNOWN_ALGORITHM"],
      ["an algorithm that does not fit", { algorithm: { name: "average", column: "Geslacht" } }, 400, "TYPE_MISMATCH"],
      ["too large a result", { sql: "SELECT repeat('x', 70000000)", algorithm: undefined }, 422, "RESULT_TOO_LARGE"],
    ])("names %s by its own status and code, with the party", async (_, change, status, code) => {
      const answer = await ask(orchestrator, {
        providers: ["UVA"],
        sql: q1,
        algorithm: "average",
        ...change,
      } as QueryBody);
      expect(answer).toMatchObject({ status, body: { code } });
      expect(String(answer.body.detail)).toContain("UVA");
    });

    it.each([
      ["a join, at home", { sql: q1, providers: ["VU"] }],
      ["a join, through the third party", { sql: q1, options: { aggregate: true } }],
      ["distinct rows, through the third party", { sql: q4, options: { aggregate: true } }],
      ["sorted rows, at home", { sql: `${q1} ORDER BY s.Salschal, p.Geslacht`, providers: ["UVA"] }],
    ])("begins with the first rows where they are preferred, and ends the same: %s", async (_what, more) => {
      const csv = async (prefer: Record<string, string>) => {
        const { gatewayUrl, token } = orchestrator;
        const response = await fetch(`${gatewayUrl}/function/orchestrator/v1/queries`, {
          method: "POST",
          headers: {
            accept: "text/csv",
            authorization: `Bearer ${token}`,
            "content-type": "application/json",
            ...prefer,
          },
          body: JSON.stringify({ providers: both, ...more }),
        });
        return { text: await response.text(), headers: response.headers };
      };
      const [plain, preferred] = [await csv({}), await csv({ prefer: "first-rows" })];
      expect(preferred.headers.get("preference-applied")).toBe("first-rows");
      expect(preferred.text.length).toBeGreaterThan(100_000);
      expect(preferred.text === plain.text).toBe(true);
      expect(preferred.headers.get("x-query-rows")).toBe(String(plain.text.split("\r\n").length - 2));
    });

    it("answers an empty result with its columns and no rows", async () => {
      const answer = await ask(orchestrator, {
        providers: ["UVA"],
        sql: "SELECT Geslacht FROM Personen WHERE 1 = 0",
      });
      expect(answer.status).toBe(200);
      expect(resultsOf(answer)).toMatchObject([{ columns: [{ name: "Geslacht" }], rows: [] }]);
    });

    it("names a function that is down, and answers again when it is back", async () => {
      await system.gateway.stopFunction("vu-sql-query");
      const answer = await query({});
      expect(answer).toMatchObject({
        status: 200,
        body: { complete: false, failed: [{ party: "VU", step: "sql-query", code: "FUNCTION_UNAVAILABLE" }] },
      });
      await system.gateway.startFunction("vu-sql-query");
      expect(await query({})).toMatchObject({ status: 200, body: { complete: true } });
    });

    it("names a provider whose sidecar is gone", async () => {
      await system.sidecars.stopOne("VU");
      expect((await query({})).body).toMatchObject({ refused: [{ provider: "VU", code: "PROVIDER_OFFLINE" }] });
      expect(await query({ providers: ["VU"] })).toMatchObject({ status: 503, body: { code: "PROVIDER_OFFLINE" } });
    });
  });
});
