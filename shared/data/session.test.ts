import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ColumnList, DataSet } from "#contracts";
import { runQuery } from "./session.ts";
import { toJsonTable } from "./table-json.ts";

/** Must never be seen by anybody: not in a result, not in an error. */
const canary = "CANARY-7391";
let folder: string;

const dataSet = DataSet.fromPartial({
  name: "people",
  party: "UVA",
  type: "csv",
  delimiter: ";",
  tables: [
    {
      name: "Personen",
      file: "Personen.csv",
      columns: [{ name: "Gebdat", anonymize: "year", title: "Date of birth" }],
    },
    { name: "Aanstellingen", file: "Aanstellingen.csv" },
    { name: "Geheim", file: "Geheim.csv" },
  ],
});
const allColumns: ColumnList = {
  tables: [
    { table: "Personen", columns: ["Unieknr", "Geslacht", "Gebdat", "Naam"] },
    { table: "Aanstellingen", columns: ["Unieknr", "Salschal", "Bedrag"] },
  ],
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-session-"));
  await writeFile(
    join(folder, "Personen.csv"),
    `Unieknr;Geslacht;Gebdat;Naam;bsn\r\n1;V;1990-01-01;Zoë 🙂;${canary}\r\n2;M;1980-02-29;;${canary}\r\n0;V;1970-12-31;"a;b";${canary}\r\n`,
  );
  await writeFile(join(folder, "Aanstellingen.csv"), "Unieknr;Salschal;Bedrag;Code\r1;10;1.10;007\r2;12;2.20;010\r");
  await writeFile(join(folder, "Geheim.csv"), `wat\n${canary}\n`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function run(sql: string, columns: ColumnList | undefined = allColumns, leftMs = 20_000) {
  return runQuery({
    sql,
    terms: { dataSets: ["people"], columns },
    dataSets: [dataSet],
    folders: { data: folder, cache: join(folder, "cache") },
    anonymize: false,
    memoryMb: 128,
    leftMs,
    emit: async () => {},
    notes: {},
  });
}

const rows = async (sql: string, columns?: ColumnList, leftMs?: number) =>
  toJsonTable((await run(sql, columns, leftMs)).arrowIpc).rows;

describe("a session", () => {
  it("is not interrupted early where there is more time than a timer can count", async () => {
    const tables = Array.from({ length: 12 }, (_, i) => `Personen t${i}`).join(", ");
    expect(await rows(`SELECT count(*) AS n FROM ${tables}`, undefined, 2 ** 41)).toEqual([[3 ** 12]]);
  });

  it("finds an allowed table and column whatever the case of its name", async () => {
    const columns = { tables: [{ table: "personen", columns: ["unieknr", "GESLACHT"] }] };
    expect(await rows("SELECT * FROM Personen ORDER BY 1 LIMIT 1", columns)).toEqual([[0, "V"]]);
  });

  it("keeps every value exact from the file to the answer", async () => {
    expect(await rows("SELECT * FROM Personen ORDER BY Unieknr")).toEqual([
      [0, "V", "1970-12-31", "a;b"],
      [1, "V", "1990-01-01", "Zoë 🙂"],
      [2, "M", "1980-02-29", null],
    ]);
    expect(
      await rows(
        "SELECT 9007199254740993, -170141183460469231731687303715884::HUGEINT, 0.10::DECIMAL(38,20), DATE '0001-01-01', NULL, 'NaN'::DOUBLE",
      ),
    ).toEqual([
      ["9007199254740993", "-170141183460469231731687303715884", "0.10000000000000000000", "0001-01-01", null, "NaN"],
    ]);
  });

  it("keeps leading zeros as text and decimals as decimals", async () => {
    expect(toJsonTable((await runAll("SELECT Code, Bedrag FROM Aanstellingen ORDER BY 1")).arrowIpc)).toMatchObject({
      columns: [{ type: "text" }, { type: "decimal(3,2)" }],
      rows: [
        ["007", "1.10"],
        ["010", "2.20"],
      ],
    });
  });

  it("hands the catalogue's notes on with the column of that name", async () => {
    const { columns } = toJsonTable((await run("SELECT gebdat FROM personen")).arrowIpc);
    expect(columns).toEqual([{ name: "Gebdat", type: "date", title: "Date of birth" }]);
  });

  it.each([
    ["SELECT Gebdat FROM Personen", "Date of birth"],
    ["SELECT p.gebdat AS GEBDAT FROM Personen p", "Date of birth"],
    ["SELECT * FROM (SELECT Gebdat FROM Personen)", "Date of birth"],
    ["SELECT Gebdat AS born FROM Personen", "Date of birth"],
    ["SELECT Unieknr AS Gebdat FROM Personen", undefined],
    ["SELECT max(Gebdat) AS Gebdat FROM Personen", undefined],
    ["SELECT * EXCLUDE (Unieknr, Geslacht, Naam) REPLACE (DATE '2000-01-01' AS Gebdat) FROM Personen", undefined],
    ["SELECT t.Gebdat FROM (SELECT Unieknr FROM Personen) AS t(Gebdat)", undefined],
    ["WITH t(Gebdat) AS (SELECT Unieknr FROM Personen) SELECT Gebdat FROM t", undefined],
    ["SELECT Gebdat FROM (SELECT Unieknr AS Gebdat FROM Personen)", undefined],
    ["SELECT CAST(Gebdat AS VARCHAR) FROM Personen UNION SELECT Naam FROM Personen", undefined],
  ])("gives the title to the column as it is and to no other of its name: %s", async (sql, title) => {
    const { columns } = toJsonTable((await run(sql)).arrowIpc);
    expect(columns.map((column) => column.title)).toEqual([title]);
  });

  it("has no column and no table that is not permitted", async () => {
    await expect(run("SELECT bsn FROM Personen")).rejects.toMatchObject({ label: "UNKNOWN_COLUMN" });
    await expect(run("SELECT * FROM Geheim")).rejects.toMatchObject({ label: "UNKNOWN_TABLE" });
    expect(JSON.stringify(await rows("SELECT * FROM Personen"))).not.toContain(canary);
  });

  it("has no denied column, whatever the case in which it is denied, and all others", async () => {
    const denied = { tables: [{ table: "personen", columns: ["BSN", "naam"] }] };
    for (const column of ["bsn", "Naam", "naam"]) {
      await expect(runAll(`SELECT ${column} FROM Personen`, denied)).rejects.toMatchObject({ label: "UNKNOWN_COLUMN" });
    }
    expect(toJsonTable((await runAll("SELECT * FROM Personen ORDER BY 1 LIMIT 1", denied)).arrowIpc).rows).toEqual([
      [0, "V", "1970-12-31"],
    ]);
  });

  it("names the column that may have been meant, of the permitted alone", async () => {
    await expect(run("SELECT Geslach FROM Personen")).rejects.toThrow("did you mean Geslacht?");
    await expect(run("SELECT bsm FROM Personen")).rejects.toSatisfy((error) => !String(error).includes("bsn"));
  });

  it("never has a value of the data in an error", async () => {
    for (const sql of [
      "SELECT CAST(Naam AS INT) FROM Personen",
      "SELECT Naam::DATE FROM Personen",
      "SELECT sqrt(-Salschal) FROM Aanstellingen",
    ]) {
      await expect(run(sql)).rejects.toSatisfy((error) => !/Zo|a;b|10|12/.test(String(error)));
    }
  });

  it("ends a query that takes too long by name", async () => {
    const endless =
      "SELECT count(*) FROM Personen a, Personen b, " +
      Array.from({ length: 22 }, (_, i) => `Personen c${i}`).join(", ");
    await expect(run(endless, allColumns, 300)).rejects.toMatchObject({ label: "DEADLINE_EXCEEDED" });
  });

  it.each([
    ["SELECT repeat('x', 210000000)", "RESULT_TOO_LARGE"],
    ["SELECT [1, 2]", "SQL_REFUSED"],
    ["SELECT INTERVAL 1 DAY AS d", "TYPE_MISMATCH"],
    ["SELECT 'x'::BLOB AS b", "TYPE_MISMATCH"],
  ])("%s is refused with %s", async (sql, label) => {
    await expect(run(sql)).rejects.toMatchObject({ label });
  });
});

describe("names that the engine calls without brackets", () => {
  it("refuses the clock's and says why", async () => {
    for (const sql of ["SELECT current_date", "SELECT now()"]) {
      await expect(run(sql)).rejects.toMatchObject({
        label: "SQL_REFUSED",
        message: expect.stringContaining("the same rows whenever it runs: write the date"),
      });
    }
  });

  it("refuses the user's and says how a column of that name is written", async () => {
    await expect(run("SELECT user FROM Personen")).rejects.toMatchObject({
      label: "SQL_REFUSED",
      message: expect.stringContaining("written with its table, as t.user"),
    });
  });
});

/** With every column permitted. */
function runAll(sql: string, deniedColumns?: ColumnList) {
  return runQuery({
    sql,
    terms: { dataSets: ["people"], columns: undefined, deniedColumns },
    dataSets: [dataSet],
    folders: { data: folder, cache: join(folder, "cache") },
    anonymize: false,
    memoryMb: 128,
    leftMs: 20_000,
    emit: async () => {},
    notes: {},
  });
}
