/** The head of a result is what the whole begins with, or there is none, whatever the query. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataSet, type Table } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { openStream, writeStream } from "./arrow-stream.ts";
import { arbitrarySql } from "./corpus/arbitrary-sql.ts";
import { runQuery, type SessionOptions, type SessionTerms } from "./session.ts";
import { toJsonTable } from "./table-json.ts";
import { notesOf } from "./table-notes.ts";
import { sourceOf } from "./table-source.ts";

/** `DYNAMOS_FUZZ_RUNS=5000` and another seed make it look longer and elsewhere. */
const numRuns = Number(process.env.DYNAMOS_FUZZ_RUNS ?? 120);
const seed = Number(process.env.DYNAMOS_FUZZ_SEED ?? 20_251_125);

const people = 3_000;
/** Before it Gebdat has no value. */
const firstBorn = 1_500;
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
      columns: [
        { name: "Gebdat", anonymize: "year", title: "Date of birth" },
        { name: "Naam", anonymize: "mask" },
      ],
    },
    { name: "Aanstellingen", file: "Aanstellingen.csv" },
    { name: "Geheim", file: "Geheim.csv" },
  ],
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-head-"));
  const lines = (count: number, line: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => line(i)).join("");
  const born = (i: number) => (i < firstBorn ? "" : `${1950 + (i % 50)}-03-0${1 + (i % 9)}`);
  const name = (i: number) => (i % 7 === 0 ? "" : `name ${i} ${"é".repeat(i % 23)}`);
  const persons = lines(people, (i) => `${i};${i % 3 ? "M" : "V"};${born(i)};${name(i)};secret\n`);
  await writeFile(join(folder, "Personen.csv"), `Unieknr;Geslacht;Gebdat;Naam;bsn\n${persons}`);
  const posts = lines(1_400, (i) => `${(i * 2) % 900};${i % 18};${i}.${i % 10}5;${20_100_101 + i};F${i % 5};0${i}\n`);
  await writeFile(join(folder, "Aanstellingen.csv"), `Unieknr;Salschal;Bedrag;Aanst_22;Functcat;Code\n${posts}`);
  await writeFile(join(folder, "Geheim.csv"), "wat\nsecret\n");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Asked {
  readonly sql: string;
  readonly terms?: Partial<SessionTerms>;
  readonly anonymize?: boolean;
  readonly algorithm?: SessionOptions["algorithm"];
  readonly leftMs?: number;
}

/** A table that came in pieces is put together again. @returns it, or as what it was refused */
async function run(
  { sql, terms, anonymize = false, algorithm, leftMs = 60_000 }: Asked,
  headAlone: boolean,
): Promise<Table | string> {
  const pieces: Uint8Array[] = [];
  try {
    const table = await runQuery({
      sql,
      terms: {
        dataSets: ["people"],
        columns: undefined,
        deniedColumns: { tables: [{ table: "Personen", columns: ["bsn"] }] },
        rowFilters: [{ table: "Aanstellingen", predicate: "Salschal <> 17" }],
        ...terms,
      },
      dataSets: [dataSet],
      folders: { data: folder, cache: join(folder, "cache") },
      anonymize,
      memoryMb: 256,
      leftMs,
      emit: async (piece) => void pieces.push(piece),
      notes: { measure: { column: "Unieknr", groupBy: [] } },
      headAlone,
      ...(algorithm === undefined ? {} : { algorithm }),
    });
    if (table.transfer === undefined) return table;
    const { schema } = openStream(table);
    return { ...writeStream(schema, openStream({ ...table, arrowIpc: Buffer.concat(pieces) })), rows: table.rows };
  } catch (error) {
    if (!(error instanceof DynamosError)) throw error;
    return `${error.label}: ${error.message}`;
  }
}

/** What this machine's speed decides is compared with nothing. */
const hangsOnTheMachine = /^(DEADLINE_EXCEEDED|WORKER_OUT_OF_MEMORY)/;

type Seen = "cut" | "whole" | "refused" | "neither";

async function expectHead(asked: Asked): Promise<Seen> {
  const whole = await run(asked, false);
  const head = await run(asked, true);
  if ([whole, head].some((one) => typeof one === "string" && hangsOnTheMachine.test(one))) return "neither";
  if (typeof whole === "string" || typeof head === "string") {
    const [asWhole, asHead] = [whole, head].map((one) => (typeof one === "string" ? one : "a table"));
    expect(asHead).toBe(asWhole);
    return "refused";
  }
  const { headOf: none, ...notes } = notesOf(whole);
  const { headOf, ...sameNotes } = notesOf(head);
  expect(none).toBeUndefined();
  expect(sameNotes).toEqual(notes);
  const [all, first] = [sourceOf(whole), sourceOf(head)];
  expect(first.specs).toEqual(all.specs);
  const [{ rows }, { rows: firstRows }] = [toJsonTable(whole.arrowIpc), toJsonTable(head.arrowIpc)];
  expect([all.rows, first.rows]).toEqual([rows.length, firstRows.length]);
  expect(firstRows).toEqual(rows.slice(0, firstRows.length));
  expect(first.headOf).toBe(headOf);
  if (headOf === undefined) {
    expect(firstRows.length).toBe(rows.length);
    return "whole";
  }
  expect(headOf).toBe(rows.length);
  expect(firstRows.length).toBeGreaterThan(0);
  expect(firstRows.length).toBeLessThanOrEqual(limits.headRows);
  return "cut";
}

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
      seen[await expectHead({ sql: asked, terms: agreed, anonymize, leftMs: 10_000 })] += 1;
    }),
    { numRuns, seed },
  );
  process.stdout.write(`heads, ${name}: ${JSON.stringify(seen)}\n`);
  for (const [kind, count] of Object.entries(least)) {
    expect(seen[kind as Seen], kind).toBeGreaterThanOrEqual(Math.floor((count * Math.min(numRuns, 120)) / 120));
  }
});

const later = "Unieknr >= 2100";
it.each<[string, Seen, Asked]>([
  ["no rows", "whole", { sql: "SELECT * FROM Personen WHERE false" }],
  ["one row less", "whole", { sql: `SELECT Unieknr FROM Personen LIMIT ${limits.headRows - 1}` }],
  ["just as many", "whole", { sql: `SELECT Unieknr FROM Personen LIMIT ${limits.headRows}` }],
  ["one row more", "cut", { sql: `SELECT Unieknr FROM Personen LIMIT ${limits.headRows + 1}` }],
  ["one group more", "cut", { sql: `SELECT Unieknr % ${limits.headRows + 1} AS k, count(*) FROM Personen GROUP BY k` }],
  ["no column of a table", "cut", { sql: "SELECT 1 AS one FROM Personen" }],
  ["a comment at its end", "cut", { sql: "SELECT Unieknr, ';' FROM Personen -- ' end" }],
  ["wide rows", "cut", { sql: "SELECT repeat('é', 4000) AS wide FROM Personen LIMIT 1100" }],
  [
    "rows wider than a message has room for",
    "cut",
    { sql: "SELECT repeat('x', 20000) AS wide FROM Personen LIMIT 1100" },
  ],
  ["nulls at first", "whole", { sql: "SELECT Unieknr, Gebdat FROM Personen" }],
  ["nulls at first that are protected", "whole", { sql: "SELECT Unieknr, Gebdat FROM Personen", anonymize: true }],
  ["a column of nothing", "whole", { sql: "SELECT NULL AS x, Unieknr FROM Personen" }],
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
  expect(await expectHead(asked)).toBe(seen);
});

it("a head fits an envelope while rows are no wider than some kilobytes", async () => {
  const head = await run({ sql: "SELECT repeat('x', 12000) AS wide FROM Personen LIMIT 1100" }, true);
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
      expect(await run({ sql }, headAlone)).toMatch(/^SQL_INVALID: .*CAST/);
    }
  });

  it("is late where its time ends, and not taken for whole", { timeout: 60_000 }, async () => {
    for (const headAlone of [false, true]) {
      const asked = { sql: `SELECT a.Unieknr + 1 AS n FROM ${rows}, Personen c`, leftMs: 500 };
      expect(await run(asked, headAlone)).toMatch(/^DEADLINE_EXCEEDED: /);
    }
  });
});
