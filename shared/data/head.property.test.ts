/** The head of a result is what the whole begins with, or there is none, whatever the query. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { limits } from "#domain/limits";
import { arbitrarySql } from "./corpus/arbitrary-sql.ts";
import { compareHead, type LongWorld, openLongWorld, people, type Seen } from "./corpus/long-world.ts";
import type { SessionTerms } from "./session.ts";

/** `DYNAMOS_FUZZ_RUNS=5000` and another seed make it look longer and elsewhere. */
const numRuns = Number(process.env.DYNAMOS_FUZZ_RUNS ?? 120);
const seed = Number(process.env.DYNAMOS_FUZZ_SEED ?? 20_251_125);

let world: LongWorld;
beforeAll(async () => {
  world = await openLongWorld();
});
afterAll(() => world.close());

const pick = (...items: readonly string[]) => fc.constantFrom(...items);
const around = [0, 1, limits.headRows - 1, limits.headRows, limits.headRows + 1, 2_048, 2_049, people];
const columns = pick(
  "Unieknr",
  "*",
  "Unieknr, Naam, Geslacht",
  "Geslacht",
  "Unieknr, Gebdat",
  "repeat(Naam, 20) AS wide, Unieknr",
  "repeat('é', Unieknr) AS wider",
  "Unieknr, NULL AS nothing",
  "CASE WHEN Unieknr >= 1100 THEN Unieknr END AS late",
  "CASE WHEN Unieknr < 5 THEN 1.5::DECIMAL(9, 2) END AS early",
  "sum(Unieknr) OVER (ORDER BY Unieknr) AS running",
  "Unieknr % 2 = 0 AS even, Unieknr / 7 AS part, DATE '2000-01-01' + Unieknr AS day",
  "170141183460469231731687303715884105727::HUGEINT - Unieknr AS huge",
  "CASE WHEN Unieknr < 2000 THEN 1::HUGEINT ELSE 170141183460469231731687303715884105727 END AS hugeLater",
  "CAST(CASE WHEN Unieknr < 2000 THEN '1' ELSE Naam END AS INT) AS notLater",
);
const from = pick(
  "Personen",
  "Personen",
  "Personen JOIN Aanstellingen USING (Unieknr)",
  "Personen LEFT JOIN Aanstellingen USING (Unieknr)",
  "(SELECT * FROM Personen UNION ALL SELECT * FROM Personen)",
  "(SELECT * FROM Personen ORDER BY Unieknr DESC)",
  "Personen WHERE Unieknr < 1024",
  "Personen WHERE Unieknr < 1025",
  "Personen WHERE Unieknr < 0",
  "Personen WHERE Gebdat IS NOT NULL",
);
const order = pick("", "", "ORDER BY 1", "ORDER BY 1 DESC", "ORDER BY Geslacht", "ORDER BY Unieknr DESC");
const limit = fc.option(
  fc.tuple(fc.constantFrom(...around), pick("", "OFFSET 1", "OFFSET 1024")).map(([rows, by]) => `LIMIT ${rows} ${by}`),
  { nil: "" },
);
const rowsSql = fc
  .tuple(pick("", "", "", "DISTINCT"), columns, from, order, limit)
  .map(([distinct, what, where, by, some]) => `SELECT ${distinct} ${what} FROM ${where} ${by} ${some}`);
const groupedSql = fc
  .tuple(
    pick("Unieknr", "Unieknr % 1500", "Geslacht", "Naam", "Gebdat", "Unieknr // 2"),
    pick("count(*)", "sum(Unieknr)", "max(Gebdat)", "count(Naam), min(Naam)", "avg(Unieknr)"),
    pick("Personen", "Personen", "Personen LEFT JOIN Aanstellingen USING (Unieknr)"),
    pick("", "ORDER BY 1", "ORDER BY 2 DESC", "ORDER BY ALL"),
    limit,
  )
  .map(([by, what, where, sorted, some]) => `SELECT ${by} AS k, ${what} FROM ${where} GROUP BY k ${sorted} ${some}`);
const longSql = fc.oneof(
  { arbitrary: rowsSql, weight: 4 },
  { arbitrary: groupedSql, weight: 2 },
  { arbitrary: fc.tuple(rowsSql, rowsSql).map(([a, b]) => `(${a}) UNION ALL (${b})`), weight: 1 },
);
const rowsMax = fc.oneof(
  // A cross join of all would take its time.
  { arbitrary: fc.constant(20_000), weight: 3 },
  { arbitrary: fc.constantFrom(...around, 1_400, people - 1, people + 1), weight: 1 },
);
const grouping: fc.Arbitrary<Partial<SessionTerms>> = fc.oneof(
  { arbitrary: fc.constant({}), weight: 8 },
  { arbitrary: fc.constantFrom({ minimumGroupSize: 2 }, { aggregatesOnly: true }), weight: 1 },
  { arbitrary: fc.constant({ aggregatesOnly: true, minimumGroupSize: 3 }), weight: 1 },
);
const terms = fc
  .record({ grouping, rowsMax })
  .map(({ grouping: some, rowsMax: maximumRows }) => ({ ...some, maximumRows }));

it.each([
  ["over all that can be asked of the tables", arbitrarySql, { cut: 1, whole: 10, refused: 10 }],
  ["over long results", longSql, { cut: 12, whole: 12, refused: 12 }],
] as const)("begins what the whole is, %s", { timeout: 600_000 }, async (name, sql, least) => {
  const seen = { cut: 0, whole: 0, refused: 0, neither: 0 };
  await fc.assert(
    fc.asyncProperty(sql, terms, fc.boolean(), async (asked, agreed, anonymize) => {
      seen[await compareHead(world, { sql: asked, terms: agreed, anonymize, leftMs: 10_000 })] += 1;
    }),
    { numRuns, seed },
  );
  process.stdout.write(`heads, ${name}: ${JSON.stringify(seen)}\n`);
  for (const [kind, count] of Object.entries(least)) {
    expect(seen[kind as Seen], kind).toBeGreaterThanOrEqual(Math.floor((count * Math.min(numRuns, 120)) / 120));
  }
});
