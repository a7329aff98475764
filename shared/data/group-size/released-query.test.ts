import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataSet, type Terms } from "#contracts";
import { runQuery } from "../session.ts";
import { toJsonTable } from "../table-json.ts";
import type { FollowingAlgorithm } from "./following-algorithm.ts";

/** Twelve people: five of V and A, four of M and A, two of V and B, one of M and B; each has two jobs, number 1 has nine. */
const people = [
  ...[1, 2, 3, 4, 5].map((id) => [id, "V", "A"]),
  ...[6, 7, 8, 9].map((id) => [id, "M", "A"]),
  ...[10, 11].map((id) => [id, "V", "B"]),
  [12, "M", "B"],
];
const jobs = people.flatMap(([id]) => Array.from({ length: id === 1 ? 9 : 2 }, (_, i) => [id, 10 * Number(id) + i]));
let folder: string;
const dataSet = DataSet.fromPartial({
  name: "people",
  party: "UVA",
  type: "csv",
  delimiter: ";",
  tables: [
    { name: "P", file: "P.csv" },
    { name: "J", file: "J.csv" },
  ],
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-groups-"));
  const csv = (rows: unknown[][]) => rows.map((row) => `${row.join(";")}\n`).join("");
  await writeFile(
    join(folder, "P.csv"),
    csv([["id", "sex", "dep", "rare"], ...people.map((p) => [...p, p[0] === 3 ? 7 : ""])]),
  );
  await writeFile(join(folder, "J.csv"), csv([["id", "pay"], ...jobs]));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type GroupTerms = Partial<Pick<Terms, "aggregatesOnly" | "minimumGroupSize" | "maximumRows" | "rowFilters">>;

async function ask(sql: string, terms: GroupTerms, algorithm?: Partial<FollowingAlgorithm>) {
  const { arrowIpc } = await runQuery({
    sql,
    terms: { dataSets: ["people"], columns: undefined, ...terms },
    dataSets: [dataSet],
    folders: { data: folder, cache: join(folder, "cache") },
    anonymize: false,
    memoryMb: 128,
    leftMs: 20_000,
    emit: async () => {},
    notes: {},
    ...(algorithm === undefined ? {} : { algorithm: { name: "average", column: "", groupBy: [], ...algorithm } }),
  });
  const { rows, remarks = [] } = toJsonTable(arrowIpc);
  return { rows, remarks };
}

const strict = { aggregatesOnly: true, minimumGroupSize: 3 };
const two = "2 groups of fewer than 3 rows were left out";
const few = "the query is about fewer than 3 rows: nothing is told of them";

describe("a minimum group size", () => {
  it.each([
    [
      "SELECT sex, dep, count(*) FROM P GROUP BY sex, dep ORDER BY ALL",
      [
        ["M", "A", 4],
        ["V", "A", 5],
      ],
      [two],
    ],
    [
      "SELECT sex, count(*) AS n FROM P GROUP BY sex ORDER BY n",
      [
        ["M", 5],
        ["V", 7],
      ],
      [],
    ],
    ["SELECT sex, dep, count(*) FROM P GROUP BY 1, 2 HAVING count(*) > 4", [["V", "A", 5]], [two]],
    [
      "SELECT dep, sex FROM P GROUP BY ALL ORDER BY ALL",
      [
        ["A", "M"],
        ["A", "V"],
      ],
      [two],
    ],
    ["SELECT count(*) FROM P WHERE dep = 'A'", [[9]], []],
    ["SELECT count(*) FROM P WHERE id < 3", [], [few]],
    ["SELECT count(*) FROM P WHERE id < 0", [], [few]],
    ["SELECT id, count(*) FROM P WHERE id = 12 AND sex = 'M' GROUP BY id", [], [few]],
    ["SELECT id, count(*) FROM P WHERE id = 12 AND sex = 'V' GROUP BY id", [], [few]],
    ["WITH g AS (SELECT dep, sex, count(*) AS n FROM P GROUP BY dep, sex) SELECT n FROM g WHERE n < 5", [[4]], [two]],
    [
      "SELECT max(n) FROM (SELECT dep, count(*) AS n FROM P GROUP BY dep)",
      [],
      ["the query is about fewer than 3 rows: nothing is told of them"],
    ],
    ["SELECT avg(n) FROM (SELECT id, count(*) AS n FROM J GROUP BY id)", [[31 / 12]], []],
    [
      "SELECT sex, count(*) FROM (SELECT DISTINCT id, sex FROM P) GROUP BY sex ORDER BY 1",
      [
        ["M", 5],
        ["V", 7],
      ],
      [],
    ],
    [
      "SELECT dep, sex, count(*) FROM P GROUP BY ROLLUP (dep, sex) ORDER BY ALL",
      [
        ["A", "M", 4],
        ["A", "V", 5],
        ["A", null, 9],
        ["B", null, 3],
        [null, null, 12],
      ],
      [two],
    ],
    [
      "SELECT sex, dep, count(*) FROM P GROUP BY sex, dep UNION ALL SELECT 'all', '', count(*) FROM P ORDER BY 1",
      [
        ["M", "A", 4],
        ["V", "A", 5],
        ["all", "", 12],
      ],
      [two],
    ],
    [
      "SELECT p.id, n FROM P p, LATERAL (SELECT count(*) AS n FROM J j WHERE j.id = p.id) WHERE p.id < 3",
      [[1, 9]],
      ["groups of fewer than 3 rows are left out"],
    ],
    ["SELECT (SELECT count(*) FROM P WHERE id = 12) AS n, id FROM P WHERE id = 1", [[null, 1]], []],
    [
      "SELECT p.sex, p.dep, count(*) FROM P p LEFT JOIN J j ON j.id = p.id AND j.pay < 0 GROUP BY ALL ORDER BY ALL",
      [
        ["M", "A", 4],
        ["V", "A", 5],
      ],
      [two],
    ],
  ])("leaves small groups out of %s", async (sql, rows, remarks) => {
    const answer = await ask(sql, { minimumGroupSize: 3 });
    expect(answer.rows).toEqual(rows);
    expect(answer.remarks).toEqual(remarks);
  });

  it.each([
    "SELECT p.id, avg(pay) FROM P p JOIN J j ON p.id = j.id GROUP BY p.id",
    "SELECT p.id, avg(p.rare) FROM P p CROSS JOIN J j GROUP BY p.id",
    "SELECT p.id, count(*) FROM P p, (VALUES (1), (2), (3), (4)) v GROUP BY p.id",
    "SELECT id, count(*) FROM (SELECT p.id FROM P p, P q) GROUP BY id",
    "SELECT id, sum(n) FROM (SELECT p.id, v.x, count(*) AS n FROM P p, (VALUES (1), (2), (3), (4)) AS v(x) GROUP BY ALL) GROUP BY id",
    "WITH c AS (SELECT p.* FROM P p, P q) SELECT id, count(*) FROM c GROUP BY id",
    "SELECT id, count(*) FROM (SELECT DISTINCT p.id, q.id AS q FROM P p, P q) GROUP BY id",
    "SELECT x.id, count(*) FROM P AS x, P AS y GROUP BY x.id",
    "SELECT p.id, count(*) FROM P p, LATERAL (SELECT q.id FROM P q) l GROUP BY p.id",
    "SELECT j.id, count(*) FROM J j SEMI JOIN P p ON p.id = j.id CROSS JOIN P q WHERE j.pay % 10 = 0 GROUP BY j.id",
  ])("can't be got round by repeating rows: %s", async (sql) => {
    const few = await ask(sql, { minimumGroupSize: 10 });
    expect(few.rows).toEqual([]);
    expect(few.remarks).toEqual([expect.stringMatching(/^1[12] groups of fewer than 10 rows were left out$/)]);
    expect((await ask(sql, {})).rows.length).toBeGreaterThan(10);
  });

  it("shows none of the hidden columns in which it hands row numbers on", async () => {
    const terms = { minimumGroupSize: 3 };
    const shifted = "SELECT b, count(*) FROM (SELECT *, 1 AS one FROM (SELECT id FROM P)) AS t(a, b) GROUP BY b";
    expect((await ask(shifted, terms)).rows).toEqual([[1, 12]]);
    const twice = "WITH c AS (SELECT sex FROM P) SELECT c.*, n FROM c, (SELECT count(*) AS n FROM c) LIMIT 1";
    expect((await ask(twice, terms)).rows).toEqual([["V", 12]]);
  });

  it("leaves rows as they are: those are the affair of aggregatesOnly", async () => {
    expect((await ask("SELECT id FROM P ORDER BY id", { minimumGroupSize: 5 })).rows).toHaveLength(12);
    expect((await ask("SELECT DISTINCT dep FROM P ORDER BY 1", { minimumGroupSize: 5 })).rows).toEqual([["A"], ["B"]]);
  });

  it("refuses what would let row numbers be mistaken for others", async () => {
    for (const sql of [
      "SELECT x.sex, count(*) FROM P AS x(rowid, sex) GROUP BY 1",
      'SELECT id, count(*) FROM (SELECT *, id + random AS "dynamos row 1" FROM (SELECT id, 1 AS random FROM P)) GROUP BY id',
      'SELECT id, count(*) FROM (SELECT p.id, q.id AS "DYNAMOS ROW 1" FROM P p, P q) GROUP BY id',
      "SELECT count(*) FROM P, P",
    ]) {
      await expect(ask(sql, { minimumGroupSize: 3 }), sql).rejects.toMatchObject({ label: "SQL_REFUSED" });
    }
  });

  it("keeps every digit of numbers in a query that it changes", async () => {
    const sql =
      "SELECT count(*) AS n, 9007199254740993 AS a, -17014118346046923173168730371588410572 AS b, 0.1 AS c FROM P";
    expect((await ask(sql, { minimumGroupSize: 2 })).rows).toEqual([
      [12, "9007199254740993", "-17014118346046923173168730371588410572", "0.1"],
    ]);
  });
});

describe("aggregates only", () => {
  it.each([
    ["SELECT count(*) FROM P", [[12]]],
    [
      "SELECT sex, avg(pay) AS mean, count(*) FROM P JOIN J USING (id) GROUP BY sex HAVING count(*) > 3 ORDER BY 1",
      expect.anything(),
    ],
    ["SELECT sex, sum(pay) / count(*) AS mean FROM P JOIN J USING (id) GROUP BY ALL", expect.anything()],
    [
      "WITH g AS (SELECT sex, count(*) AS n FROM P GROUP BY sex) SELECT sex, n * 2 FROM g ORDER BY n",
      [
        ["M", 10],
        ["V", 14],
      ],
    ],
    ["SELECT a.n, b.n FROM (SELECT count(*) AS n FROM P) a, (SELECT count(*) AS n FROM J) b", [[12, 31]]],
    [
      "SELECT 'P' AS t, count(*) FROM P UNION ALL SELECT 'J', count(*) FROM J",
      [
        ["P", 12],
        ["J", 31],
      ],
    ],
    ["SELECT count(*) FROM J WHERE pay > (SELECT avg(pay) FROM J)", expect.anything()],
    ["SELECT avg(n) FROM (SELECT id, sum(pay) AS n FROM J GROUP BY id)", expect.anything()],
    [
      "SELECT CASE WHEN id > 6 THEN 'high' ELSE 'low' END AS band, count(*) FROM P GROUP BY band ORDER BY 1",
      [
        ["high", 6],
        ["low", 6],
      ],
    ],
    ["SELECT sum(pay * id), corr(pay, id), avg(pay - 1), stddev(pay) FROM J", expect.anything()],
    ["SELECT count(DISTINCT sex) FROM P", [[2]]],
    ["SELECT avg(pay) FROM (SELECT DISTINCT id, pay FROM J)", expect.anything()],
    ["SELECT 1", [[1]]],
  ])("gives %s", async (sql, rows) => {
    expect((await ask(sql, strict)).rows).toEqual(rows);
  });

  it.each([
    ["SELECT id FROM P", "column id is a value of single rows"],
    ["SELECT * FROM P", "column id is a value"],
    ["SELECT 1 FROM P", "column 1 is a value"],
    [
      "SELECT count(*) AS n, q.sex FROM (SELECT id, sex FROM P) q, (SELECT count(*) FROM P) GROUP BY q.sex, q.id HAVING max(q.id) = 3",
      "max hands out",
    ],
    ["SELECT n, sex FROM (SELECT count(*) AS n FROM P), P", "column sex is a value"],
    ["SELECT n FROM (SELECT count(*) AS n FROM P) JOIN P ON P.id = 3", "is a value of single rows"],
    ["SELECT max(pay) FROM J", "max hands out"],
    ["SELECT any_value(sex), median(id), string_agg(sex, '') FROM P", "any_value hands out"],
    ["SELECT sum(pay) FILTER (WHERE id = 1) FROM J", "FILTER may leave a single row"],
    ["SELECT sum(CASE WHEN id = 1 THEN pay ELSE 0 END) FROM J", "sum over an expression"],
    ["SELECT sum(pay * (id = 1)::INT) FROM J", "sum over an expression"],
    ["SELECT sum(v) FROM (SELECT CASE WHEN id = 1 THEN pay END AS v FROM J)", "sum over an expression"],
    ["SELECT sum(pay * greatest(0, 1 - abs(id - 1))) FROM J", "sum over an expression"],
    ["SELECT sum(id // 3 - id // 4) FROM J", "sum over an expression"],
    ["SELECT sum(CAST(id / 2.0 AS INT) - CAST(id / 2.1 AS INT)) FROM J", "sum over an expression"],
    ["SELECT sum(pay / (id - 1.0000001)) FROM J", "sum over an expression"],
    ["SELECT sum((id - 1) * (id - 2) * (id - 4)) FROM J", "sum over an expression"],
    ["SELECT count_if(id = 1) FROM J", "count_if over an expression"],
    [
      "SELECT dep, count(*) FROM P WHERE dep = (SELECT dep FROM P WHERE id = 12) GROUP BY dep",
      "a sub-query gives a value of a single row",
    ],
    ["SELECT dep, count(*) FROM P WHERE dep IN (SELECT dep FROM P WHERE id = 12) GROUP BY dep", "IN, EXISTS"],
    [
      "SELECT dep, count(*) FROM P p WHERE EXISTS (SELECT 1 FROM P q WHERE q.id = 12 AND q.dep = p.dep) GROUP BY dep",
      "IN, EXISTS",
    ],
    ["SELECT p.dep, count(*) FROM P p SEMI JOIN P q ON q.id = 12 AND q.dep = p.dep GROUP BY p.dep", "SEMI JOIN"],
    ["SELECT first_value(id) OVER (ORDER BY id) AS k, count(*) FROM P GROUP BY id", "a window function"],
    [
      "SELECT k, count(*) FROM (SELECT first_value(dep) OVER (ORDER BY id DESC) AS k FROM P) GROUP BY k",
      "a window function",
    ],
    ["SELECT count(*) FROM P UNION ALL SELECT id FROM P", "is a value of single rows"],
    ["SELECT DISTINCT ON (sex) sex FROM P", "is a value of single rows"],
    ["SELECT DISTINCT sex FROM P", "is a value of single rows"],
    ["SELECT #1 FROM P GROUP BY 1", "is a value of single rows"],
    ["SELECT rowid FROM P GROUP BY rowid", "is a value of single rows"],
    ["SELECT (SELECT sum(p.id)) FROM P p", "is a value of single rows"],
    ["SELECT sum(id) FROM (SELECT id FROM P UNION ALL SELECT id FROM P)", "hides how many rows"],
  ])("refuses %s", async (sql, why) => {
    await expect(ask(sql, strict)).rejects.toMatchObject({
      label: "SQL_REFUSED",
      message: expect.stringContaining(why),
    });
  });

  it.each([
    ["SELECT id, count(*) FROM P GROUP BY id", "12 groups of fewer than 3 rows were left out"],
    ["SELECT sex, avg(rare) FROM P GROUP BY sex", two],
    ["SELECT s.pay, count(*) FROM J s JOIN J t ON t.id = 12 AND t.pay = s.pay GROUP BY s.pay", few],
    ["SELECT count(*) FROM (SELECT pay FROM J ORDER BY pay DESC LIMIT 1)", few],
  ])("is not got round by %s", async (sql, remark) => {
    const { rows, remarks } = await ask(sql, strict);
    expect(rows).toEqual([]);
    expect(remarks).toEqual([remark]);
  });

  it("lets no group of a single row out, also without a minimum", async () => {
    expect((await ask("SELECT id, count(*) FROM P GROUP BY id", { aggregatesOnly: true })).rows).toEqual([]);
  });
});

describe("aggregates only, with an algorithm behind the query", () => {
  const byDep = { name: "average", column: "pay", groupBy: ["dep"] };

  it("gives rows to an algorithm that makes one value of them", async () => {
    const joined = "SELECT dep, pay FROM P JOIN J USING (id)";
    expect((await ask(joined, strict, byDep)).rows).toHaveLength(31);
    expect(
      (await ask("SELECT DISTINCT p.id, dep, pay FROM P p JOIN J j ON p.id = j.id LIMIT 30000", strict, byDep)).rows,
    ).toHaveLength(31);
    expect((await ask("SELECT sex, count(*) AS pay, 1 AS dep FROM P GROUP BY sex", strict, byDep)).rows).toHaveLength(
      2,
    );
  });

  it("leaves out groups that repeat fewer different rows than it seems", async () => {
    const repeated = "SELECT p.id AS dep, rare AS pay FROM P p, J j";
    const { rows, remarks } = await ask(repeated, strict, byDep);
    expect(rows).toEqual([]);
    expect(remarks).toEqual(["12 groups of fewer than 3 rows were left out"]);
    expect((await ask("SELECT id AS dep, pay FROM J WHERE id = 1", strict, byDep)).rows).toHaveLength(9);
    expect(
      (await ask("SELECT p.id AS dep, pay FROM P p JOIN J j ON p.id = j.id WHERE p.id = 1", strict, byDep)).rows,
    ).toEqual([]);
  });

  it.each([
    ["SELECT dep, CASE WHEN id = 1 THEN id ELSE 0 END AS pay FROM P", "the column pay is an expression"],
    ["SELECT dep, first_value(id) OVER (ORDER BY id) AS pay FROM P", "a window function"],
    ["SELECT dep, id AS pay FROM P WHERE dep IN (SELECT dep FROM P WHERE id = 12)", "IN, EXISTS"],
    ["SELECT dep, id AS pay FROM P UNION ALL SELECT dep, id FROM P", "hides how many rows"],
  ])("refuses %s", async (sql, why) => {
    await expect(ask(sql, strict, byDep)).rejects.toMatchObject({
      label: "SQL_REFUSED",
      message: expect.stringContaining(why),
    });
  });

  it("refuses algorithms that hand out single values, and takes `rows` for none", async () => {
    for (const name of ["min", "MAX", "median", "nobody's"]) {
      await expect(ask("SELECT dep, id AS pay FROM P", strict, { ...byDep, name })).rejects.toMatchObject({
        label: "SQL_REFUSED",
        message: expect.stringContaining(`the algorithm ${name} hands out values of single rows`),
      });
    }
    for (const name of ["rows", ""]) {
      await expect(ask("SELECT dep FROM P", strict, { name })).rejects.toMatchObject({ label: "SQL_REFUSED" });
    }
  });
});
