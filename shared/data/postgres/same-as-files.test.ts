/** One suite over both sources: what a file gives or refuses, PostgreSQL gives or refuses in the same words. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DynamosError } from "#errors";
import { openCanaryPostgres } from "#testing/canary-postgres";
import { hasPostgres, type Postgres, startPostgres } from "#testing/postgres";
import { attacks } from "../corpus/attacks.ts";
import { type CanaryWorld, canary, openCanaryWorld } from "../corpus/canary-world.ts";
import { ordinary } from "../corpus/ordinary.ts";
import { toJsonTable } from "../table-json.ts";

const refusals = /^(SQL_(REFUSED|INVALID)|UNKNOWN_(TABLE|COLUMN)|TYPE_MISMATCH|RESULT_TOO_LARGE|WORKER_OUT_OF_MEMORY)$/;

type Change = Parameters<CanaryWorld["run"]>[1];

const personen = (columns: string[]) => ({ tables: [{ table: "Personen", columns }] });
const byGender = "SELECT Geslacht, count(*) AS n FROM Personen GROUP BY Geslacht ORDER BY 1";

/** Each clause of an agreement that is carried out where the data is, with what it lets through and what it refuses. */
const clauses: [clause: string, sql: string, change: Change][] = [
  ["all rows as they are", "SELECT * FROM Personen ORDER BY Unieknr", {}],
  ["every permitted type", "SELECT * FROM Aanstellingen ORDER BY Unieknr", {}],
  ["an allowed column in another case", "SELECT * FROM Personen", { terms: { columns: personen(["UNIEKNR"]) } }],
  ["a column that is not allowed", "SELECT bsn FROM Personen", {}],
  ["a table that is not allowed", "SELECT * FROM Geheim", {}],
  ["a table of which no column is there", "SELECT * FROM Personen", { terms: { columns: personen(["Nobody"]) } }],
  ["a denied column", "SELECT Naam FROM Personen", { terms: { deniedColumns: personen(["NAAM"]) } }],
  ["all but a denied column", "SELECT * FROM Personen ORDER BY 1", { terms: { deniedColumns: personen(["naam"]) } }],
  [
    "a row filter over a hidden column",
    "SELECT count(*) FROM Personen",
    { terms: { rowFilters: [{ table: "Personen", predicate: "bsn LIKE '%-row'" }] } },
  ],
  [
    "a row filter over a column that there is not",
    "SELECT count(*) FROM Personen",
    { terms: { rowFilters: [{ table: "personen", predicate: "Nobody = 1" }] } },
  ],
  [
    "a row filter that can't judge a row",
    "SELECT count(*) FROM Personen",
    { terms: { rowFilters: [{ table: "Personen", predicate: "CAST(Naam AS INT) > 0" }] } },
  ],
  ["rows where aggregates alone are allowed", "SELECT Naam FROM Personen", { terms: { aggregatesOnly: true } }],
  ["aggregates where these alone are allowed", byGender, { terms: { aggregatesOnly: true } }],
  ["groups below the minimum", byGender, { terms: { minimumGroupSize: 2 } }],
  ["a query about fewer rows", "SELECT avg(Salschal) FROM Aanstellingen", { terms: { minimumGroupSize: 3 } }],
  ["more rows than the maximum", "SELECT Unieknr FROM Personen", { terms: { maximumRows: 2 } }],
  ["as many rows as the maximum", "SELECT Unieknr FROM Personen ORDER BY 1 LIMIT 2", { terms: { maximumRows: 2 } }],
  ["a column that is cut to the year", "SELECT Gebdat FROM Personen ORDER BY 1", { anonymize: true }],
  ["the day behind it", "SELECT count(*) FROM Personen WHERE Gebdat > DATE '1990-01-01'", { anonymize: true }],
];

describe.skipIf(!hasPostgres())("a data set in PostgreSQL", () => {
  let server: Postgres;
  let files: CanaryWorld;
  let postgres: CanaryWorld;
  beforeAll(async () => {
    server = await startPostgres();
    postgres = await openCanaryPostgres(server);
    files = await openCanaryWorld();
  }, 90_000);
  afterAll(async () => {
    await postgres?.close();
    await files?.close();
    await server?.stop();
  });

  it.each(clauses)("gives what a file gives: %s", async (_, sql, change) => {
    expect(await said(postgres, sql, change)).toEqual(await said(files, sql, change));
  });

  it.each(attacks)(
    "refuses every attack by $name, and says no value",
    async ({ attacks: queries }) => {
      for (const sql of queries) {
        const answer = await said(postgres, sql);
        expect(answer, sql).toMatchObject({ label: expect.stringMatching(refusals) });
        if (!sql.includes(canary)) expect(JSON.stringify(answer), sql).not.toContain(canary);
      }
    },
    60_000,
  );

  it("answers ordinary queries as a file does", async () => {
    // Every fourth: what they do to rows that are loaded is the same for all sources.
    for (const sql of ordinary.filter((_, i) => i % 4 === 0)) {
      expect(await said(postgres, sql), sql).toEqual(await said(files, sql));
    }
  }, 60_000);
});

async function said(world: CanaryWorld, sql: string, change: Change = {}): Promise<unknown> {
  const table = await world.run(sql, change).catch((error: unknown) => {
    if (error instanceof DynamosError) return error;
    throw error;
  });
  return table instanceof DynamosError ? { label: table.label, message: table.message } : toJsonTable(table.arrowIpc);
}
