import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataSet } from "#contracts";
import { runQuery } from "./session.ts";
import { toJsonTable } from "./table-json.ts";
import { sourceOf } from "./table-source.ts";

let folder: string;
const dataSet = DataSet.fromPartial({
  name: "people",
  party: "UVA",
  type: "csv",
  delimiter: ";",
  tables: [
    {
      name: "P",
      file: "P.csv",
      columns: [
        { name: "id" },
        { name: "day", anonymize: "year" },
        { name: "compact", anonymize: "year" },
        { name: "noted", type: "text", anonymize: "year" },
        { name: "name", anonymize: "mask" },
        { name: "bsn", anonymize: "drop" },
        { name: "odd", anonymize: "no such rule" },
      ],
    },
  ],
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-protect-"));
  await writeFile(
    join(folder, "P.csv"),
    "id;day;compact;noted;name;bsn;odd\n1;1990-07-23;19900723;1990-07-23;Zoë;123;456\n2;1985-03-04;19850304;19850304;;124;457\n3;;7;x;Bo;;\n",
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const tableOf = async (sql: string) => toJsonTable((await run(sql)).arrowIpc);

function run(sql: string) {
  return runQuery({
    sql,
    terms: { dataSets: ["people"], columns: undefined },
    dataSets: [dataSet],
    folders: { data: folder, cache: join(folder, "cache") },
    anonymize: true,
    memoryMb: 128,
    leftMs: 20_000,
    emit: async () => {},
    notes: {},
  });
}

const rows = async (sql: string) => (await tableOf(sql)).rows;
const rulesOf = async (sql: string) => sourceOf(await run(sql)).specs.map((spec) => spec.anonymize);

describe("a session whose rows will be anonymised", () => {
  it("holds years, masks and nothing, in the columns' own form", async () => {
    expect(await rows("SELECT * FROM P ORDER BY id")).toEqual([
      [1, "1990-01-01", 19900101, "1990-01-01", "***", null, null],
      [2, "1985-01-01", 19850101, "19850101", null, null, null],
      [3, null, null, null, "***", null, null],
    ]);
  });

  it.each([
    "SELECT day AS x FROM P",
    "SELECT day + 1 FROM P",
    "SELECT max(day) FROM P",
    "SELECT strftime(day, '%d-%m-%Y') FROM P",
    "WITH t AS (SELECT compact AS c FROM P) SELECT c % 10000 FROM t",
    "SELECT a.noted || b.noted FROM P a JOIN P b ON a.id = b.id",
    "SELECT CASE WHEN compact = 19900723 THEN 'found' END FROM P",
    "SELECT count(*) FILTER (WHERE month(day) = 7) * 123 FROM P",
    "SELECT upper(name), length(name) FROM P",
    "SELECT coalesce(bsn, odd) FROM P UNION SELECT bsn FROM P",
  ])("tells no more by %s", async (sql) => {
    const text = JSON.stringify(await rows(sql));
    for (const secret of ["07-23", "0723", "723", "03-04", "Zo", "ZO", "123", "456", "found", "23", '"23']) {
      expect(text.replaceAll(/1990|1985|0101|01-01|-01/g, "")).not.toContain(secret);
    }
  });

  const firstDay = (name: string) => `wherever the query uses ${name} it reads the first day of the year`;
  it.each([
    ["SELECT day + 1 AS x FROM P", [firstDay("day")]],
    ["SELECT max(day) AS day FROM P", [firstDay("day")]],
    ["SELECT id FROM P WHERE day < DATE '1990-01-01'", [firstDay("day")]],
    ["SELECT * FROM P WHERE compact > 5", [firstDay("compact")]],
    ["SELECT a.id FROM P a JOIN P b USING (day)", [firstDay("day")]],
    [
      "SELECT upper(name) AS n, coalesce(bsn, 1) AS b FROM P",
      ["wherever the query uses name it reads ***", "wherever the query uses bsn it reads nothing"],
    ],
    ["SELECT noted FROM P UNION SELECT name FROM P", [firstDay("noted"), "wherever the query uses name it reads ***"]],
  ])("says what %s reads, where no later step can tell", async (sql, remarks) => {
    expect((await tableOf(sql)).remarks).toEqual(remarks);
  });

  it("says it also where a column is taken by its place", async () => {
    expect((await tableOf("SELECT #2 AS x FROM P")).remarks).toContain(firstDay("day"));
  });

  it.each([
    "SELECT day, id FROM P",
    "SELECT * FROM P",
    "SELECT id FROM P",
    "SELECT * EXCLUDE (day) FROM P",
    "SELECT day AS x FROM P",
    "SELECT id FROM (SELECT * FROM P)",
  ])("leaves it to sql-anonymize to say of %s", async (sql) => {
    expect(await tableOf(sql)).not.toHaveProperty("remarks");
  });

  it.each([
    ["SELECT day AS x FROM P", ["year"]],
    ["SELECT compact AS day FROM P", ["year"]],
    ["SELECT t.b, t.e FROM P AS t(a, b, c, d, e)", ["year", "mask"]],
    ["SELECT z FROM (SELECT * RENAME (day AS z) FROM P)", ["year"]],
    ["WITH c(q) AS (SELECT bsn FROM P) SELECT q AS id FROM c", ["drop"]],
    ["SELECT id AS day FROM P", [undefined]],
    ["SELECT day + 1 AS day FROM P", [undefined]],
  ])("hands a column's rule on with it, whatever its name in %s", async (sql, rules) => {
    expect(await rulesOf(sql)).toEqual(rules);
  });

  it("compares dates by their year", async () => {
    expect(await rows("SELECT id FROM P WHERE day < DATE '1990-01-01'")).toEqual([[2]]);
    expect(await rows("SELECT id FROM P WHERE compact >= 19900101")).toEqual([[1]]);
  });
});
