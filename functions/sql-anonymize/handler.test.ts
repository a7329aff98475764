import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Envelope, ErrorCode, type Table } from "#contracts";
import type { Cell, ColumnSpec } from "#data/column-kind";
import { toJsonTable } from "#data/table-json";
import { notesOf } from "#data/table-notes";
import { callStep } from "#testing/call-step";
import { forwardedResult, forwardedTable, madeTable, tableEnvelope } from "#testing/made-table";
import { wageGapKnowledge } from "#testing/wage-gap-knowledge";
import { withNotes } from "#testing/with-notes";
import step from "./handler.ts";

const context = { environment: {}, now: () => 0, temporaryFolder: "" };

async function outcomeOf(table: Table, change: Partial<Envelope> = {}) {
  const envelope = tableEnvelope({ UVA: table }, change);
  return await callStep(step, envelope, context);
}

async function anonymized(specs: ColumnSpec[], rows: Cell[][]) {
  return forwardedTable(await outcomeOf(madeTable(specs, rows)));
}

const column = (kind: ColumnSpec["kind"], anonymize: string, cells: Cell[], more: Partial<ColumnSpec> = {}) =>
  anonymized(
    [{ name: "c", kind, anonymize, ...more }],
    cells.map((cell) => [cell]),
  );

describe("sql-anonymize", () => {
  it.each([
    ["yyyymmdd as a number", "int64", [19_900_101n, null, 20_041_231n], "int64", [1990, null, 2004]],
    ["yyyymmdd as text", "text", ["19900101", null], "text", ["1990", null]],
    ["ISO 8601 as text", "text", ["1990-05-17", "1990-05-17T10:00:00Z"], "text", ["1990", "1990"]],
    ["dates, also before 1970", "date", [0, -1, 18_261, null], "int64", [1970, 1969, 2019, null]],
    ["timestamps, also before 1970", "timestamp", [0n, -1n, null], "int64", [1970, 1969, null]],
    ["years, which stay", "int64", [1990n], "int64", [1990]],
    ["a whole decimal", "decimal", [19_900_101n], "int64", [1990]],
    ["the far future that stands for never", "int64", [99_990_101n], "int64", [9999]],
  ] as const)("cuts %s to the year", async (_, kind, cells, type, years) => {
    const scale = kind === "decimal" ? { precision: 38, scale: 0 } : {};
    const result = await column(kind, "year", [...cells], scale);
    expect(result).toMatchObject({ columns: [{ name: "c", type }], rows: years.map((year) => [year]) });
    expect(result.remarks).toEqual(["c is cut to the year"]);
  });

  it("makes a value that is no date null, and says so", async () => {
    const result = await column("text", "year", ["1990-01-01", "Amsterdam", "19901301", "1 may 1990"]);
    expect(result.rows).toEqual([["1990"], [null], [null], [null]]);
    expect(result.remarks).toEqual(["c is cut to the year; values that are no dates are null"]);
  });

  it.each([
    ["double", [1.5], "a column of type double can't be cut to the year"],
    ["boolean", [true], "a column of type boolean can't be cut to the year"],
  ] as const)("leaves a column of %s out when it can't be cut, and says why", async (kind, cells, why) => {
    const result = await column(kind, "year", [...cells]);
    expect(result).toMatchObject({ columns: [], rows: [], remarks: [`c is left out: ${why}`] });
  });

  it("masks values of any type and keeps null", async () => {
    expect(await column("text", "mask", ["x", null, ""])).toMatchObject({ rows: [["***"], [null], ["***"]] });
    expect(await column("int64", "mask", [5n])).toMatchObject({ columns: [{ type: "text" }], rows: [["***"]] });
  });

  it("drops a column by its rule, and by a rule that it does not know", async () => {
    const specs: ColumnSpec[] = [
      { name: "bsn", kind: "int64", anonymize: "drop" },
      { name: "city", kind: "text", anonymize: "hash" },
      { name: "scale", kind: "int64" },
    ];
    const result = await anonymized(specs, [[1n, "x", 2n]]);
    expect(result).toMatchObject({ columns: [{ name: "scale" }], rows: [[2]] });
    expect(result.remarks).toEqual(["bsn is left out", "city is left out: its rule hash is not known"]);
  });

  it("lets no value through that has a rule, whatever the type and the rule", async () => {
    const kinds = fc.constantFrom("text", "int64", "double", "boolean", "date", "timestamp") as fc.Arbitrary<
      ColumnSpec["kind"]
    >;
    const secret: Record<string, Cell> = {
      text: "Amsterdam 12345",
      int64: 123_456_789n,
      double: 12.345,
      boolean: true,
      date: 12_345,
      timestamp: 1_234_567_890_123_456n,
    };
    await fc.assert(
      fc.asyncProperty(kinds, fc.constantFrom("year", "mask", "drop", "other"), async (kind, rule) => {
        const open = await column(kind, "", [secret[kind] ?? null]);
        const closed = await column(kind, rule, [secret[kind] ?? null]);
        expect(JSON.stringify(closed)).not.toContain(JSON.stringify(open.rows[0]?.[0]));
      }),
    );
  });

  it("takes the rule from the party's description where the column brings none, by name in any case", async () => {
    const knowledge = wageGapKnowledge();
    for (const set of knowledge.dataSets) {
      for (const table of set.tables)
        table.columns = [{ name: "Gebdat", type: "", title: "", unit: "", anonymize: "year" }];
    }
    const table = madeTable([{ name: "gebdat", kind: "int64" }], [[19_900_101n]]);
    expect(forwardedTable(await outcomeOf(table, { knowledge })).rows).toEqual([[1990]]);
    const elsewhere = await outcomeOf(table, { knowledge, party: "RUG" });
    expect(forwardedTable(elsewhere).rows).toEqual([[19_900_101]]);
  });

  it("changes nothing the second time", async () => {
    const once = forwardedResult(
      await outcomeOf(madeTable([{ name: "Gebdat", kind: "date", anonymize: "year" }], [[0]])),
    );
    const knowledge = wageGapKnowledge();
    for (const set of knowledge.dataSets) {
      for (const table of set.tables)
        table.columns = [{ name: "Gebdat", type: "", title: "", unit: "", anonymize: "year" }];
    }
    if (once.table === undefined) throw new Error("no table");
    expect(forwardedTable(await outcomeOf(once.table, { knowledge })).rows).toEqual([[1970]]);
  });

  it("hands a table without rules on as it is, and keeps the notes of one that it changes", async () => {
    const plain = madeTable([{ name: "a", kind: "int64" }], [[1n]]);
    expect(forwardedTable(await outcomeOf(plain))).toEqual(toJsonTable(plain.arrowIpc));
    const measure = { column: "a", groupBy: [] };
    const marked = withNotes(madeTable([{ name: "a", kind: "int64", anonymize: "mask" }], [[1n]]), {
      measure,
      remarks: ["x"],
    });
    const { table } = forwardedResult(await outcomeOf(marked));
    expect(table && notesOf(table)).toEqual({ measure, remarks: ["x", "a is masked"] });
  });

  it("refuses an envelope without a table and rehearses without a failure", async () => {
    await expect(callStep(step, tableEnvelope({}), context)).rejects.toMatchObject({
      code: ErrorCode.ENVELOPE_INVALID,
    });
    await expect(step.rehearse?.(context)).resolves.toBeUndefined();
  });
});
