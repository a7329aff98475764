import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ordinary } from "../corpus/ordinary.ts";
import { type DuckDBConnection, type Engine, openEngine } from "../duckdb.ts";
import { aggregateFunctions, scalarFunctions } from "../sql-functions.ts";
import { parsedSql } from "../sql-tree.ts";
import type { SourceColumn } from "./lineage.ts";
import { type QueryLineage, queryLineage } from "./query-lineage.ts";
import type { Tree } from "./tree.ts";

const loaded = [
  { table: "Personen", columns: ["Unieknr", "Geslacht", "Gebdat", "Naam"] },
  { table: "Aanstellingen", columns: ["Unieknr", "Salschal", "Bedrag", "Aanst_22", "Functcat"] },
];
let engine: Engine;
let connection: DuckDBConnection;

beforeAll(async () => {
  engine = await openEngine({ memoryMb: 128, threads: 1 });
  connection = engine.connection;
  await connection.run("CREATE TABLE Personen (Unieknr INT, Geslacht VARCHAR, Gebdat DATE, Naam VARCHAR)");
  await connection.run(
    "CREATE TABLE Aanstellingen (Unieknr INT, Salschal INT, Bedrag DECIMAL(9,2), Aanst_22 INT, Functcat VARCHAR)",
  );
});
afterAll(() => engine.close());

async function lineageOf(sql: string): Promise<QueryLineage> {
  const tree = await parsedSql(connection, sql);
  const [statement] = tree.statements as Tree[];
  if (statement === undefined) throw new Error(`not a statement: ${sql}`);
  return queryLineage(statement, loaded);
}

const names = (columns: ReadonlySet<SourceColumn>) =>
  [...columns].map(({ table, column }) => `${table[0]}.${column}`).sort();

/** Each column as `direct | indirect`, tables by their first letter. */
async function told(sql: string): Promise<string[]> {
  const { columns } = await lineageOf(sql);
  return columns.map(({ lineage }) =>
    [names(lineage.direct).join(" "), names(lineage.indirect).join(" ")].join(" | ").trim(),
  );
}

describe("which source columns a column depends on", () => {
  it.each([
    ["SELECT Naam FROM Personen", ["P.Naam |"]],
    ["SELECT Naam AS x FROM Personen", ["P.Naam |"]],
    ["SELECT p.naam || p.Geslacht FROM Personen p", ["P.Geslacht P.Naam |"]],
    ["SELECT 1 FROM Personen", ["|"]],
    ["SELECT Naam FROM Personen WHERE Unieknr > 1", ["P.Naam | P.Unieknr"]],
    ["SELECT Naam FROM Personen ORDER BY Gebdat LIMIT 1", ["P.Naam | P.Gebdat"]],
    ["SELECT x.n FROM (SELECT Naam AS n, Gebdat FROM Personen) x", ["P.Naam |"]],
    ["SELECT n FROM (SELECT Naam FROM Personen) AS t(n)", ["P.Naam |"]],
    ["SELECT b FROM Personen AS t(a, b)", ["P.Geslacht |"]],
    ["WITH c AS (SELECT Naam FROM Personen WHERE Gebdat IS NULL) SELECT Naam FROM c", ["P.Naam | P.Gebdat"]],
    ["WITH c(x) AS (SELECT Naam FROM Personen), d AS (SELECT x AS y FROM c) SELECT y FROM d", ["P.Naam |"]],
    ["WITH Personen AS (SELECT Salschal AS Naam FROM Aanstellingen) SELECT Naam FROM Personen", ["A.Salschal |"]],
    ["SELECT * FROM Personen", ["P.Unieknr |", "P.Geslacht |", "P.Gebdat |", "P.Naam |"]],
    ["SELECT * EXCLUDE (Unieknr, Gebdat) FROM Personen", ["P.Geslacht |", "P.Naam |"]],
    ["SELECT * EXCLUDE (Unieknr, Gebdat) REPLACE (Unieknr AS Naam) FROM Personen", ["P.Geslacht |", "P.Unieknr |"]],
    ["SELECT z FROM (SELECT * RENAME (Naam AS z) FROM Personen)", ["P.Naam |"]],
    [
      "SELECT a.* FROM Personen p, Aanstellingen a",
      ["A.Unieknr |", "A.Salschal |", "A.Bedrag |", "A.Aanst_22 |", "A.Functcat |"],
    ],
    [
      "SELECT Naam, Salschal FROM Personen p JOIN Aanstellingen a ON p.Unieknr = a.Unieknr",
      ["P.Naam | A.Unieknr P.Unieknr", "A.Salschal | A.Unieknr P.Unieknr"],
    ],
    ["SELECT Unieknr FROM Personen JOIN Aanstellingen USING (Unieknr)", ["P.Unieknr | A.Unieknr P.Unieknr"]],
    [
      "SELECT Unieknr FROM Personen FULL JOIN Aanstellingen USING (Unieknr)",
      ["A.Unieknr P.Unieknr | A.Unieknr P.Unieknr"],
    ],
    ["SELECT Salschal FROM Personen NATURAL JOIN Aanstellingen", ["A.Salschal | A.Unieknr P.Unieknr"]],
    ["SELECT count(*) FROM Personen", ["|"]],
    [
      "SELECT Geslacht, avg(Unieknr) FROM Personen GROUP BY Geslacht",
      ["P.Geslacht | P.Geslacht", "P.Unieknr | P.Geslacht"],
    ],
    ["SELECT year(Gebdat) AS y, count(*) FROM Personen GROUP BY y", ["P.Gebdat | P.Gebdat", "| P.Gebdat"]],
    ["SELECT sum(Unieknr) FILTER (WHERE Naam = 'x') FROM Personen", ["P.Unieknr | P.Naam"]],
    ["SELECT rank() OVER (PARTITION BY Geslacht ORDER BY Gebdat) FROM Personen", ["P.Gebdat P.Geslacht |"]],
    ["SELECT Naam FROM Personen UNION SELECT Geslacht FROM Personen", ["P.Geslacht P.Naam | P.Geslacht P.Naam"]],
    ["SELECT Unieknr FROM Personen UNION ALL SELECT Salschal FROM Aanstellingen", ["A.Salschal P.Unieknr |"]],
    [
      "SELECT Naam AS a FROM Personen UNION ALL BY NAME SELECT Gebdat AS b, Geslacht AS a FROM Personen",
      ["P.Geslacht P.Naam |", "P.Gebdat |"],
    ],
    [
      "SELECT (SELECT sum(Salschal) FROM Aanstellingen a WHERE a.Unieknr = p.Unieknr) FROM Personen p",
      ["A.Salschal | A.Unieknr P.Unieknr"],
    ],
    ["SELECT 1 FROM Personen p WHERE EXISTS (SELECT 1 FROM Aanstellingen a WHERE a.Bedrag > 1)", ["| A.Bedrag"]],
    ["SELECT n.v FROM Personen p, LATERAL (SELECT p.Unieknr + 1 AS v) n", ["P.Unieknr |"]],
    ["SELECT Unieknr AS y, y + 1 FROM Personen", ["P.Unieknr |", "P.Unieknr |"]],
    ["SELECT CASE WHEN Naam = 'x' THEN Gebdat END FROM Personen", ["P.Gebdat P.Naam |"]],
    ["SELECT DISTINCT Naam FROM Personen", ["P.Naam | P.Naam"]],
  ])("%s", async (sql, expected) => {
    expect(await told(sql)).toEqual(expected.map((one) => one.trim()));
  });

  it.each(["SELECT #1 FROM Personen", "SELECT nobody FROM Personen", "SELECT p.rowid FROM Personen p"])(
    "takes %s for everything and for a row's value, since it can't be told",
    async (sql) => {
      const [column] = (await lineageOf(sql)).columns;
      expect(names(column?.lineage.direct ?? new Set())).toHaveLength(9);
      expect(column?.lineage.kind).toBe("row");
    },
  );

  it("gives the engine's own columns, in their order, for every ordinary query", async () => {
    for (const sql of ordinary) {
      const tree = await parsedSql(connection, sql);
      if (tree.error === true) continue;
      const { columns, isCertain } = await lineageOf(sql);
      const result = await connection.prepare(sql);
      const engineNames = Array.from({ length: result.columnCount }, (_, i) => result.columnName(i).toLowerCase());
      if (!isCertain) continue;
      expect(columns, sql).toHaveLength(engineNames.length);
      columns.forEach(({ name }, i) => {
        if (name !== undefined) expect(name.toLowerCase(), sql).toBe(engineNames[i]);
      });
    }
  });
});

describe("what a row and a value stand for", () => {
  it.each([
    ["SELECT 1", "constant"],
    ["SELECT * FROM (VALUES (1), (2)) t", "constant"],
    ["SELECT Naam FROM Personen", "row"],
    ["SELECT count(*) FROM Personen", "key"],
    ["SELECT Geslacht FROM Personen GROUP BY Geslacht", "key"],
    ["SELECT Geslacht, count(*) FROM Personen GROUP BY ALL", "key"],
    ["SELECT * FROM (SELECT count(*) FROM Personen)", "key"],
    ["SELECT * FROM (SELECT count(*) FROM Personen), Personen", "row"],
    ["SELECT count(*) FROM Personen UNION ALL SELECT Unieknr FROM Personen", "row"],
    ["SELECT DISTINCT Geslacht FROM Personen", "row"],
  ])("of %s is a %s", async (sql, rows) => {
    expect((await lineageOf(sql)).rows).toBe(rows);
  });

  it("knows each aggregate that a query may call", async () => {
    const reader = await connection.runAndReadAll(
      "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'",
    );
    const engines = new Set(reader.getRows().map(([name]) => String(name)));
    expect([...scalarFunctions].filter((name) => engines.has(name))).toEqual([]);
    expect(aggregateFunctions.size).toBeGreaterThan(50);
  });
});
