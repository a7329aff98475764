/** Results that are longer than their head, one by one. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { limits } from "#domain/limits";
import { type Asked, compareHead, type LongWorld, openLongWorld, people, type Seen } from "./corpus/long-world.ts";
import { sourceOf } from "./table-source.ts";

let world: LongWorld;
beforeAll(async () => {
  world = await openLongWorld();
});
afterAll(() => world.close());

const later = "Unieknr >= 2100";
it.each<[string, Seen, Asked]>([
  ["no rows", "whole", { sql: "SELECT * FROM Personen WHERE false" }],
  ["one row less", "whole", { sql: `SELECT Unieknr FROM Personen LIMIT ${limits.headRows - 1}` }],
  ["just as many", "whole", { sql: `SELECT Unieknr FROM Personen LIMIT ${limits.headRows}` }],
  ["one row more", "cut", { sql: `SELECT Unieknr FROM Personen LIMIT ${limits.headRows + 1}` }],
  ["one group more", "cut", { sql: `SELECT Unieknr % ${limits.headRows + 1} AS k, count(*) FROM Personen GROUP BY k` }],
  ["no column of a table", "cut", { sql: "SELECT 1 AS one FROM Personen" }],
  ["FROM at first", "cut", { sql: "FROM Personen SELECT Unieknr" }],
  ["the table alone", "cut", { sql: "FROM (SELECT Unieknr, Naam FROM Personen)" }],
  ["a common table", "cut", { sql: "WITH p AS (SELECT Unieknr FROM Personen) SELECT * FROM p" }],
  ["parentheses", "cut", { sql: "(SELECT Unieknr FROM Personen)" }],
  ["names twice", "cut", { sql: "SELECT p.Unieknr, q.Unieknr FROM Personen p JOIN Personen q USING (Unieknr)" }],
  ["a line's comment at its end", "cut", { sql: "SELECT Unieknr FROM Personen -- end" }],
  ["a semicolon", "cut", { sql: "SELECT Unieknr FROM Personen ;" }],
  ["a quoted name", "cut", { sql: `SELECT Unieknr AS "it's" FROM Personen WHERE Geslacht <> 'it''s'` }],
  ["a comment at its end", "cut", { sql: "SELECT Unieknr, ';' FROM Personen -- ' end" }],
  ["wide rows", "cut", { sql: "SELECT repeat('é', 4000) AS wide FROM Personen LIMIT 1100" }],
  [
    "rows wider than a message has room for",
    "whole",
    { sql: "SELECT repeat('x', 20000) AS wide FROM Personen LIMIT 1100" },
  ],
  ["nulls at first", "whole", { sql: "SELECT Unieknr, Gebdat FROM Personen" }],
  ["nulls at first that are protected", "whole", { sql: "SELECT Unieknr, Gebdat FROM Personen", anonymize: true }],
  ["a column of nothing", "whole", { sql: "SELECT NULL AS x, Unieknr FROM Personen" }],
  ["a column that will be left out", "cut", { sql: "SELECT Salschal, Code FROM Aanstellingen", anonymize: true }],
  ["what is made of one", "whole", { sql: "SELECT Salschal, Code || 'x' AS c FROM Aanstellingen", anonymize: true }],
  ["masked names", "cut", { sql: "SELECT Naam || '!' AS n, Naam FROM Personen", anonymize: true }],
  ["as many as are allowed", "cut", { sql: "SELECT Naam FROM Personen", terms: { maximumRows: people } }],
  ["one more than allowed", "refused", { sql: "SELECT Naam FROM Personen", terms: { maximumRows: people - 1 } }],
  [
    "one more than allowed, of what is computed",
    "refused",
    { sql: "SELECT Unieknr + 1 AS n FROM Personen", terms: { maximumRows: people - 1 } },
  ],
  ["more than allowed in the head", "refused", { sql: "SELECT Naam FROM Personen", terms: { maximumRows: 10 } }],
  [
    "rows where aggregates alone are allowed",
    "refused",
    { sql: "SELECT Naam FROM Personen", terms: { aggregatesOnly: true } },
  ],
  [
    "groups of which small ones are left out",
    "cut",
    {
      sql: "SELECT Unieknr // 2 AS k, count(*) AS n FROM Personen WHERE Unieknr > 0 GROUP BY k",
      terms: { minimumGroupSize: 2 },
    },
  ],
  [
    "a later row that can't be cast",
    "refused",
    { sql: `SELECT CASE WHEN ${later} THEN CAST(Geslacht AS INT) ELSE 1 END AS n FROM Personen` },
  ],
  [
    "a later row that can't be filtered",
    "refused",
    { sql: `SELECT Unieknr FROM Personen WHERE CASE WHEN ${later} THEN CAST(Geslacht AS INT) = 1 ELSE true END` },
  ],
  [
    "a later number of too many digits",
    "refused",
    {
      sql: `SELECT CASE WHEN ${later} THEN 170141183460469231731687303715884105727 ELSE 1::HUGEINT END AS n FROM Personen`,
    },
  ],
  [
    "later texts that are too long",
    "refused",
    { sql: `SELECT repeat('x', CASE WHEN ${later} THEN 80000 ELSE 1 END) AS t FROM Personen` },
  ],
])("the head of a result with %s: %s", async (_, seen, asked) => {
  expect(await compareHead(world, asked)).toBe(seen);
});

it("a head fits an envelope while rows are no wider than some kilobytes", async () => {
  const head = await world.run({ sql: "SELECT repeat('x', 12000) AS wide FROM Personen LIMIT 1100" }, true);
  if (typeof head === "string") throw new Error(head);
  expect(sourceOf(head).headOf).toBe(1_100);
  expect(head.arrowIpc.length).toBeLessThan(limits.inlineBytesMax);
});

describe("a result that fails far behind its first rows", () => {
  const rows = "Personen a, Personen b";
  const far = `a.Unieknr = ${people - 1} AND b.Unieknr = ${people - 1}`;

  it.each([
    [`SELECT CASE WHEN ${far} THEN CAST(a.Geslacht AS INT) ELSE 1 END AS n FROM ${rows}`],
    [`SELECT a.Unieknr FROM ${rows} WHERE CASE WHEN ${far} THEN CAST(a.Geslacht AS INT) = 1 ELSE true END`],
  ])("is refused, and not taken for whole: %s", { timeout: 120_000 }, async (sql) => {
    for (const headAlone of [false, true]) {
      expect(await world.run({ sql }, headAlone)).toMatch(/^SQL_INVALID: .*CAST/);
    }
  });

  it("is late where its time ends, and not taken for whole", { timeout: 60_000 }, async () => {
    for (const headAlone of [false, true]) {
      const asked = { sql: `SELECT a.Unieknr + 1 AS n FROM ${rows}, Personen c`, leftMs: 500 };
      expect(await world.run(asked, headAlone)).toMatch(/^DEADLINE_EXCEEDED: /);
    }
  });
});
