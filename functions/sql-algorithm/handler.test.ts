import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Approval, type Envelope, ErrorCode, Query, type Table } from "#contracts";
import type { Cell, ColumnSpec } from "#data/column-kind";
import { callStep } from "#testing/call-step";
import { forwardedResult, forwardedTable, madeTable, tableEnvelope } from "#testing/made-table";
import { wageGapKnowledge } from "#testing/wage-gap-knowledge";
import { withNotes } from "#testing/with-notes";
import step from "./handler.ts";

const context = { environment: {}, now: () => 0, temporaryFolder: "" };
const gender: ColumnSpec = { name: "Geslacht", kind: "text", title: "Gender" };
const scale: ColumnSpec = { name: "Salschal", kind: "int64", title: "Salary scale", unit: "scale" };
const wages = madeTable(
  [gender, scale],
  [
    ["V", 10n],
    ["M", 13n],
    ["V", 11n],
    [null, 4n],
    ["M", null],
    ["M", 12n],
  ],
);

interface Asked {
  name?: string;
  column?: string;
  groupBy?: string[];
}

async function outcomeOf(table: Table, algorithm: Asked, change: Partial<Envelope> = {}) {
  const query = Query.fromPartial({ id: "q1", algorithm: { name: "", column: "", groupBy: [], ...algorithm } });
  const envelope = tableEnvelope({ UVA: table }, { query, ...change });
  return await callStep(step, envelope, context);
}

const answer = async (table: Table, algorithm: Asked) => forwardedTable(await outcomeOf(table, algorithm));
const resultOf = async (specs: ColumnSpec[], rows: Cell[][], algorithm: Asked) =>
  (await answer(madeTable(specs, rows), algorithm)).rows;

describe("sql-algorithm", () => {
  it("leaves the rows as they are when no algorithm is named", async () => {
    for (const name of ["", "rows"]) expect(forwardedResult(await outcomeOf(wages, { name })).table).toBe(wages);
  });

  it("averages by group, sorted, with nulls left out of the values and null as a group of its own", async () => {
    expect(await answer(wages, { name: "average", column: "Salschal", groupBy: ["Geslacht"] })).toEqual({
      columns: [
        { name: "Geslacht", type: "text", title: "Gender" },
        { name: "average", type: "double", title: "average of Salary scale", unit: "scale" },
        { name: "count", type: "int64", title: "Number of values" },
      ],
      rows: [
        ["M", 12.5, 2],
        ["V", 10.5, 2],
        [null, 4, 1],
      ],
    });
  });

  it("groups by nothing when the user names only the column", async () => {
    expect((await answer(wages, { name: "average", column: "salschal" })).rows).toEqual([[10, 5]]);
  });

  it.each([
    ["AVG", [[10, 5]]],
    ["mean", [[10, 5]]],
    ["sum", [[50, 5]]],
    ["count", [[6]]],
    ["MIN", [[4, 5]]],
    ["max", [[13, 5]]],
    ["median", [[11, 5]]],
    ["stddev", [[Math.sqrt(50 / 4), 5]]],
    ["standarddeviation", [[Math.sqrt(50 / 4), 5]]],
  ])("knows %s", async (name, rows) => {
    expect((await answer(wages, { name })).rows).toEqual(rows);
  });

  it("groups by several columns, numbers by size and dates by date", async () => {
    const specs: ColumnSpec[] = [
      { name: "day", kind: "date" },
      { name: "size", kind: "int64" },
      { name: "x", kind: "double" },
    ];
    const rows: Cell[][] = [
      [1, 10n, 1],
      [0, 9n, 2],
      [1, 9n, 4],
      [1, 10n, 8],
    ];
    expect(await resultOf(specs, rows, { name: "sum", column: "x", groupBy: ["day", "SIZE"] })).toEqual([
      ["1970-01-01", 9, 2, 1],
      ["1970-01-02", 9, 4, 1],
      ["1970-01-02", 10, 9, 2],
    ]);
  });

  it("keeps every digit of sums, beyond 64 bits and of decimals", async () => {
    const large = 2n ** 63n - 1n;
    expect(await resultOf([scale], [[large], [large]], { name: "sum" })).toEqual([[String(2n * large), 2]]);
    const money: ColumnSpec = { name: "pay", kind: "decimal", precision: 38, scale: 2 };
    expect(await resultOf([money], [[10n ** 37n], [1n]], { name: "sum" })).toEqual([[`1${"0".repeat(35)}.01`, 2]]);
    expect(await resultOf([money], [[1_050n], [250n]], { name: "max" })).toEqual([["10.50", 2]]);
    expect(await resultOf([money], [[10n], [20n], [30n]], { name: "median" })).toEqual([[0.2, 3]]);
  });

  it("fails by name when a sum has more than 38 digits", async () => {
    const wide: ColumnSpec = { name: "pay", kind: "decimal", precision: 38, scale: 0 };
    const half = 5n * 10n ** 37n;
    await expect(resultOf([wide], [[half], [half]], { name: "sum" })).rejects.toMatchObject({
      code: ErrorCode.TYPE_MISMATCH,
    });
  });

  it("gives the same whatever the order of the rows", async () => {
    const row = fc.tuple(fc.constantFrom("a", "b", null), fc.option(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n })));
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 30 }),
        fc.constantFrom("average", "sum", "median", "stddev", "min"),
        async (rows, name) => {
          const asked = { name, column: "Salschal", groupBy: ["Geslacht"] };
          expect(await resultOf([gender, scale], [...rows].reverse(), asked)).toEqual(
            await resultOf([gender, scale], rows, asked),
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  it("says of an empty table that there was nothing to compute", async () => {
    const empty = madeTable([gender, scale], []);
    expect((await answer(empty, { name: "average" })).rows).toEqual([[null, 0]]);
    expect(await answer(empty, { name: "average", groupBy: ["Geslacht"] })).toMatchObject({
      columns: { length: 3 },
      rows: [],
    });
    expect((await answer(empty, { name: "count" })).rows).toEqual([[0]]);
  });

  it("takes column and groups of the data set's measure when the user names none", async () => {
    const wide = madeTable(
      [gender, scale, { name: "Unieknr", kind: "int64" }],
      [
        ["V", 10n, 1n],
        ["M", 12n, 2n],
      ],
    );
    const measure = { column: "Salschal", groupBy: ["Geslacht", "Nowhere"] };
    const expected = [
      ["M", 12, 1],
      ["V", 10, 1],
    ];
    expect((await answer(withNotes(wide, { measure }), { name: "average" })).rows).toEqual(expected);
    const known = await outcomeOf(wide, { name: "average" }, { knowledge: wageGapKnowledge() });
    expect(forwardedTable(known).rows).toEqual(expected);
    expect((await answer(withNotes(wide, { measure }), { name: "average", groupBy: ["Unieknr"] })).rows).toEqual([
      [1, 10, 1],
      [2, 12, 1],
    ]);
  });

  it.each([
    [
      { name: "modus" },
      ErrorCode.UNKNOWN_ALGORITHM,
      /modus.*average, averages, count, max, median, min, standardDeviation, sum/,
    ],
    [{ name: "__proto__" }, ErrorCode.UNKNOWN_ALGORITHM, /__proto__/],
    [{ name: "average", column: "salary" }, ErrorCode.UNKNOWN_COLUMN, /no column salary, only Geslacht, Salschal, age/],
    [{ name: "average", groupBy: ["sex"] }, ErrorCode.UNKNOWN_COLUMN, /no column sex/],
    [{ name: "average" }, ErrorCode.UNKNOWN_COLUMN, /Salschal, age; name one as the algorithm's column/],
    [{ name: "average", column: "Geslacht" }, ErrorCode.TYPE_MISMATCH, /average needs numbers.*Geslacht is text/],
  ])("refuses %j by name", async (asked, code, message) => {
    const table = madeTable([gender, scale, { name: "age", kind: "int64" }], [["V", 1n, 2n]]);
    await expect(answer(table, asked)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it("gives the averages in the original's shape, and leaves a gender out that nobody has", async () => {
    const { document } = forwardedResult(await outcomeOf(wages, { name: "averages" }));
    expect(document?.mediaType).toBe("application/json");
    expect(Buffer.from(document?.body ?? []).toString()).toBe(
      '{"avg_salary_scale_men":"12.500","avg_salary_scale_women":"10.500"}',
    );
    const women = madeTable(
      [gender, scale],
      [
        ["V", 1n],
        ["V", 2n],
        ["V", 2n],
        ["X", 9n],
      ],
    );
    const onlyWomen = forwardedResult(await outcomeOf(women, { name: "averages" })).document;
    expect(Buffer.from(onlyWomen?.body ?? []).toString()).toBe('{"avg_salary_scale_women":"1.667"}');
  });

  it.each([
    [{ name: "averages", column: "age" }, "takes no other column: ask for average"],
    [{ name: "averages", groupBy: ["Geslacht", "age"] }, "takes no other groupBy: ask for average"],
    [{ name: "", column: "Salschal" }, "the algorithm has a column and no name"],
    [{ name: "rows", groupBy: ["Geslacht"] }, "the algorithm has a groupBy and the name rows"],
  ])("refuses %j rather than leave a field out in silence", async (asked, message) => {
    await expect(answer(wages, asked)).rejects.toMatchObject({
      code: ErrorCode.INVALID_REQUEST,
      message: expect.stringContaining(message),
    });
  });

  it("gives the averages also to who names what they are over", async () => {
    const asked = { name: "averages", column: "salschal", groupBy: ["geslacht"] };
    expect(await outcomeOf(wages, asked)).toEqual(await outcomeOf(wages, { name: "averages" }));
  });

  it("computes over what is there when the result has only half of the measure", async () => {
    const measure = { column: "Salschal", groupBy: ["Geslacht"] };
    const onlyScale = withNotes(madeTable([scale], [[10n], [13n]]), { measure });
    expect((await answer(onlyScale, { name: "average" })).rows).toEqual([[11.5, 2]]);
    const age: ColumnSpec = { name: "age", kind: "int64" };
    const onlyGender = withNotes(
      madeTable(
        [gender, age],
        [
          ["V", 30n],
          ["M", 40n],
        ],
      ),
      { measure },
    );
    expect((await answer(onlyGender, { name: "average" })).rows).toEqual([[35, 2]]);
    expect((await answer(onlyGender, { name: "average", groupBy: ["Geslacht"] })).rows).toEqual([
      ["M", 40, 1],
      ["V", 30, 1],
    ]);
  });

  it("passes on the failure of the step before it, and refuses an envelope without a table", async () => {
    const failed = { code: ErrorCode.SQL_INVALID, message: "syntax error", party: "UVA", step: "sql-query" };
    const envelope = tableEnvelope({}, { inputs: [{ provider: "UVA", payload: undefined, failure: failed }] });
    await expect(callStep(step, envelope, context)).rejects.toMatchObject({ code: ErrorCode.SQL_INVALID });
    await expect(callStep(step, tableEnvelope({}), context)).rejects.toMatchObject({
      code: ErrorCode.ENVELOPE_INVALID,
    });
  });

  it("rehearses without a failure", async () => {
    await expect(step.rehearse?.(context)).resolves.toBeUndefined();
  });

  describe("under a minimum group size", () => {
    const under = (...terms: { minimumGroupSize?: number; aggregatesOnly?: boolean }[]) => ({
      approvals: terms.map((one) => Approval.fromPartial({ terms: one })),
    });
    const asked = { name: "average", column: "Salschal", groupBy: ["Geslacht"] };

    it("leaves out groups of fewer values than the largest minimum of all providers, and counts them", async () => {
      const change = under({ minimumGroupSize: 1 }, { minimumGroupSize: 2 });
      expect(forwardedTable(await outcomeOf(wages, asked, change))).toMatchObject({
        rows: [
          ["M", 12.5, 2],
          ["V", 10.5, 2],
        ],
        remarks: ["1 group of fewer than 2 rows was left out"],
      });
      const three = forwardedTable(await outcomeOf(wages, asked, under({ minimumGroupSize: 3 })));
      expect(three).toMatchObject({ rows: [], remarks: ["3 groups of fewer than 3 rows were left out"] });
    });

    it("says nothing of a table that has fewer values in all, whether there are any", async () => {
      const said = { rows: [], remarks: ["the query is about fewer than 9 rows: nothing is told of them"] };
      const change = under({ minimumGroupSize: 9 });
      const empty = madeTable([gender, scale], []);
      for (const table of [wages, empty]) {
        expect(forwardedTable(await outcomeOf(table, asked, change))).toMatchObject(said);
        expect(forwardedTable(await outcomeOf(table, { name: "count" }, change))).toMatchObject(said);
      }
    });

    it("leaves them out of the document too", async () => {
      const rows: Cell[][] = [
        ["V", 10n],
        ["V", 11n],
        ["M", 12n],
      ];
      const outcome = await outcomeOf(
        madeTable([gender, scale], rows),
        { name: "averages" },
        under({ minimumGroupSize: 2 }),
      );
      expect(String(forwardedResult(outcome).document?.body)).toBe('{"avg_salary_scale_women":"10.500"}');
    });

    it("lets no single value out where a provider allows aggregates only", async () => {
      const change = under({ aggregatesOnly: true }, {});
      expect(forwardedTable(await outcomeOf(wages, asked, change)).rows).toHaveLength(2);
      for (const name of ["min", "max", "median"]) {
        await expect(outcomeOf(wages, { ...asked, name }, change)).rejects.toMatchObject({
          code: ErrorCode.SQL_REFUSED,
        });
      }
    });
  });
});
