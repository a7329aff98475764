import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DynamosError } from "#errors";
import { columnsNamed } from "./columns-named.ts";
import { arbitrarySql } from "./corpus/arbitrary-sql.ts";
import { ordinary } from "./corpus/ordinary.ts";
import { type Engine, openEngine, rowsOf } from "./duckdb.ts";
import { guardSql } from "./sql-guard.ts";

const columns = {
  Personen: ["Unieknr", "Geslacht", "Gebdat", "Naam"],
  Aanstellingen: ["Unieknr", "Salschal", "Bedrag", "Aanst_22", "Functcat"],
};
type Table = keyof typeof columns;
const tables = Object.keys(columns) as Table[];

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ memoryMb: 128, threads: 1 });
  await engine.connection.run(
    `CREATE SCHEMA wide; CREATE SCHEMA narrow;
     CREATE TABLE wide.Personen AS SELECT * FROM (VALUES (0, 'V', DATE '1970-12-31', 'a;b'), (1, 'V', DATE '1990-01-01', 'Zoë'),
       (2, 'M', DATE '1980-02-29', NULL)) AS t(Unieknr, Geslacht, Gebdat, Naam);
     CREATE TABLE wide.Aanstellingen AS SELECT * FROM (VALUES (1, 10, 1.10, DATE '2020-01-01', 'WP'), (2, 12, 2.20, DATE '2021-01-01', 'OBP'),
       (2, 11, 2.00, NULL, 'OBP')) AS t(Unieknr, Salschal, Bedrag, Aanst_22, Functcat)`,
  );
});
afterAll(() => engine.close());

async function named(sql: string): Promise<Record<string, readonly string[]>> {
  const { statement } = await guardSql(engine.connection, sql, tables);
  return Object.fromEntries(tables.map((table) => [table, columnsNamed(statement).of(columns[table])]));
}

/** Rows, or how it failed; of all columns, and of the named ones alone. */
async function bothWays(sql: string): Promise<{ wide: unknown; narrow: unknown }> {
  const guarded = await guardSql(engine.connection, sql, tables);
  for (const table of tables) {
    const list = columnsNamed(guarded.statement).of(columns[table]).join(", ");
    await engine.connection.run(`CREATE OR REPLACE TABLE narrow.${table} AS SELECT ${list} FROM wide.${table}`);
  }
  const seen = async (schema: string) => {
    await engine.connection.run(`SET schema = '${schema}'`);
    const rows = await rowsOf(engine.connection, guarded.sql).catch((error: unknown) => kindOf(error));
    return JSON.stringify(rows, (_, value) => (typeof value === "bigint" ? `${value}` : value));
  };
  const [wide, narrow] = [await seen("wide"), await seen("narrow")];
  await engine.connection.run("SET schema = 'main'");
  return { wide, narrow };
}

/** What is said of columns that are not there names those that are. */
const kindOf = (error: unknown) => (error instanceof Error ? error.message.split(":")[0] : "unknown");

describe("the columns that a query is about", () => {
  it.each([
    ["SELECT naam FROM Personen", ["Naam"], ["Unieknr"]],
    ["SELECT count(*) AS n FROM Personen", ["Unieknr"], ["Unieknr"]],
    ["SELECT p.Geslacht FROM Personen p JOIN Aanstellingen a USING (Unieknr)", ["Unieknr", "Geslacht"], ["Unieknr"]],
    ["SELECT 1 AS Naam FROM Personen ORDER BY Gebdat", ["Gebdat"], ["Unieknr"]],
    [
      "WITH t AS (SELECT Salschal AS s FROM Aanstellingen) SELECT s FROM t WHERE EXISTS (SELECT Naam FROM Personen)",
      ["Naam"],
      ["Salschal"],
    ],
  ])("are those that it names: %s", async (sql, personen, aanstellingen) => {
    expect(await named(sql)).toEqual({ Personen: personen, Aanstellingen: aanstellingen });
  });

  it.each([
    "SELECT * FROM Personen",
    "SELECT p.* FROM Personen p",
    "SELECT p FROM Personen p",
    "SELECT count(DISTINCT Personen) AS n FROM Personen",
    "SELECT #2 FROM Personen",
    "SELECT count(*) AS n FROM Personen NATURAL JOIN Aanstellingen",
    "SELECT b FROM Personen AS p(a, b)",
    "SELECT count(*) AS n FROM (SELECT * FROM Personen)",
    "SELECT 1 AS one FROM Personen WHERE EXISTS (FROM Aanstellingen)",
  ])("are all where it reaches them without a name: %s", async (sql) => {
    expect(await named(sql)).toEqual(columns);
  });

  it("are enough for every query of the corpus", async () => {
    for (const sql of ordinary) {
      const { wide, narrow } = await bothWays(sql);
      expect(narrow, sql).toBe(wide);
    }
  });

  it("are enough for whatever SQL there may be", { timeout: 120_000 }, async () => {
    let ran = 0;
    await fc.assert(
      fc.asyncProperty(arbitrarySql, async (sql) => {
        const seen = await bothWays(sql).catch((error: unknown) => {
          if (error instanceof DynamosError) return undefined;
          throw error;
        });
        if (seen === undefined) return;
        ran += 1;
        expect(seen.narrow).toBe(seen.wide);
      }),
      {
        numRuns: Number(process.env.DYNAMOS_FUZZ_RUNS ?? 300),
        seed: Number(process.env.DYNAMOS_FUZZ_SEED ?? 20_261_128),
      },
    );
    expect(ran).toBeGreaterThan(20);
  });
});
