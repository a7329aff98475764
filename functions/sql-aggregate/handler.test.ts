import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Chain, type Envelope, ErrorCode, type Table } from "#contracts";
import type { Cell, ColumnSpec } from "#data/column-kind";
import { notesOf } from "#data/table-notes";
import { viewTable } from "#data/table-view";
import { callStep } from "#testing/call-step";
import { forwardedResult, forwardedTable, madeTable, tableEnvelope } from "#testing/made-table";
import { withNotes } from "#testing/with-notes";
import step from "./handler.ts";

const context = { environment: {}, now: () => 0, temporaryFolder: "" };
const gender: ColumnSpec = { name: "gender", kind: "text", title: "Gender" };
const pay: ColumnSpec = { name: "pay", kind: "int64" };

async function outcomeOf(envelope: Envelope) {
  return await callStep(step, envelope, context);
}

const union = async (tables: Record<string, Table>) => forwardedTable(await outcomeOf(tableEnvelope(tables)));
const column = (spec: Partial<ColumnSpec>, cells: Cell[]) =>
  madeTable(
    [{ ...pay, ...spec }],
    cells.map((cell) => [cell]),
  );
const given = (table: Table | undefined) => table ?? expect.fail("the result holds no table");
const decimal = (precision: number, scale: number) => ({ kind: "decimal", precision, scale }) as const;

describe("sql-aggregate", () => {
  it("unites by column name, in the order of the providers' names, each row once", async () => {
    const vu = madeTable(
      [pay, { ...gender, title: "" }],
      [
        [1n, "V"],
        [2n, null],
      ],
    );
    const uva = madeTable([gender, pay], [["M", 3n]]);
    expect(await union({ VU: vu, UVA: uva })).toEqual({
      columns: [
        { name: "gender", type: "text", title: "Gender" },
        { name: "pay", type: "int64" },
      ],
      rows: [
        ["M", 3],
        ["V", 1],
        [null, 2],
      ],
    });
  });

  it("takes a provider's part once however often it comes", async () => {
    const once = tableEnvelope({ UVA: column({}, [1n]), VU: column({}, [2n]) });
    const twice = { ...once, inputs: [...once.inputs, ...once.inputs] };
    expect(forwardedTable(await outcomeOf(twice)).rows).toEqual([[1], [2]]);
  });

  it("gives the same whatever the order of arrival, and as many rows as there are", async () => {
    const part = fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom("A", "B", "C", "D"), part, { minKeys: 1 }), async (parts) => {
        const tables = Object.entries(parts).map(([provider, cells]) => [provider, column({}, cells)] as const);
        const forth = await union(Object.fromEntries(tables));
        expect(await union(Object.fromEntries([...tables].reverse()))).toEqual(forth);
        const sorted = Object.keys(parts).sort();
        expect(forth.rows.flat().map(String)).toEqual(sorted.flatMap((provider) => parts[provider] ?? []).map(String));
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    [
      "whole numbers and decimals",
      { A: column({}, [7n]), B: column(decimal(4, 2), [150n]) },
      "decimal(21,2)",
      ["7.00", "1.50"],
    ],
    [
      "decimals of two scales",
      { A: column(decimal(5, 1), [15n]), B: column(decimal(4, 3), [1_250n]) },
      "decimal(7,3)",
      ["1.500", "1.250"],
    ],
    [
      "a column that is null throughout with any other",
      { A: column({ kind: "text" }, [null]), B: column({}, [3n]) },
      "int64",
      [null, 3],
    ],
    ["an empty table with any other", { A: column({}, [3n]), B: column({ kind: "date" }, []) }, "int64", [3]],
    ["nothing but nulls", { A: column({ kind: "text" }, [null]), B: column({}, [null]) }, "text", [null, null]],
  ])("unites %s without loss", async (_, tables, type, cells) => {
    expect(await union(tables)).toMatchObject({ columns: [{ type }], rows: cells.map((cell) => [cell]) });
  });

  it.each([
    ["text and numbers", column({ kind: "text" }, ["x"]), column({}, [1n]), "pay is text at UVA and int64 at VU"],
    [
      "numbers that doubles would round",
      column({ kind: "double" }, [1]),
      column({}, [1n]),
      "pay is double at UVA and int64 at VU",
    ],
    [
      "more than 38 digits",
      column(decimal(38, 0), [1n]),
      column(decimal(10, 4), [1n]),
      "pay is decimal(38,0) at UVA and decimal(10,4) at VU",
    ],
    [
      "names in another case",
      column({ name: "Pay" }, [1n]),
      column({}, [1n]),
      "UVA has the column Pay, and VU has not",
    ],
    ["a column too many", column({}, [1n]), madeTable([pay, gender], []), "VU has the column gender, and UVA has not"],
  ])("does not unite %s, and names both sides", async (_, uva, vu, message) => {
    await expect(union({ VU: vu, UVA: uva })).rejects.toMatchObject({
      code: ErrorCode.SCHEMA_MISMATCH,
      message: expect.stringContaining(message),
    });
  });

  const born = { name: "Gebdat", title: "Date of birth" };
  it.each([
    [
      "of one type",
      column({ ...born, anonymized: "year" }, [1996n]),
      column({ ...born, anonymize: "year" }, [19_910_101n]),
    ],
    [
      "of two types that one could hold",
      column({ ...born, anonymized: "year" }, [1996n]),
      column({ ...born, ...decimal(10, 0) }, [19_910_101n]),
    ],
  ])("does not unite years with days %s: one provider anonymised and the other did not", async (_, uva, vu) => {
    await expect(union({ VU: vu, UVA: uva })).rejects.toMatchObject({
      code: ErrorCode.SCHEMA_MISMATCH,
      message: expect.stringMatching(
        /the column Gebdat is anonymised \(year\) at UVA and not anonymised at VU: .*option anonymize/,
      ),
    });
  });

  it("unites what all anonymised by one rule, and says so of the union", async () => {
    const uva = column({ ...born, anonymized: "year" }, [1996n]);
    const vu = column({ ...born, anonymized: "year" }, [1991n]);
    const nothing = column({ name: "Gebdat", title: "Day" }, []);
    const { table } = forwardedResult(await outcomeOf(tableEnvelope({ RUG: nothing, UVA: uva, VU: vu })));
    expect(viewTable(given(table)).columns).toEqual([
      { spec: { ...born, kind: "int64", anonymized: "year" }, cells: [1996n, 1991n] },
    ]);
    const masked = union({ A: column({ anonymized: "year" }, [1n]), B: column({ anonymized: "mask" }, [2n]) });
    await expect(masked).rejects.toThrow("anonymised (year) at A and anonymised (mask) at B");
  });

  it("names the provider whose part failed, and with what", async () => {
    const envelope = tableEnvelope({ UVA: column({}, [1n]) });
    const failure = { code: ErrorCode.SQL_INVALID, message: "syntax error", party: "VU", step: "sql-query" };
    envelope.inputs.push({ provider: "VU", payload: undefined, failure });
    await expect(callStep(step, envelope, context)).rejects.toMatchObject({
      code: ErrorCode.PART_MISSING,
      message: "the part of VU is missing: SQL_INVALID, syntax error",
    });
  });

  it("does not unite fewer providers than the chain waits for", async () => {
    const chain = Chain.fromPartial({ id: "gather-SURF", providers: ["UVA", "VU"] });
    const envelope = tableEnvelope({ UVA: column({}, [1n]) }, { chain });
    await expect(callStep(step, envelope, context)).rejects.toMatchObject({
      code: ErrorCode.PART_MISSING,
      message: "the part of VU is missing",
    });
    await expect(callStep(step, tableEnvelope({}), context)).rejects.toMatchObject({
      code: ErrorCode.ENVELOPE_INVALID,
    });
  });

  it("keeps the measure, and says whose remark is whose", async () => {
    const measure = { column: "pay", groupBy: [] };
    const vu = withNotes(column({}, [1n]), { measure, remarks: ["a column was dropped"] });
    const { table } = forwardedResult(await outcomeOf(tableEnvelope({ UVA: column({}, [2n]), VU: vu })));
    expect(table && notesOf(table)).toEqual({ measure, remarks: ["VU: a column was dropped"] });
  });

  it("rehearses without a failure", async () => {
    await expect(step.rehearse?.(context)).resolves.toBeUndefined();
  });
});
