/** Unions of which some parts are heads. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Chain, type Envelope, ErrorCode, Query, type Table } from "#contracts";
import type { Cell, ColumnSpec } from "#data/column-kind";
import { notesOf } from "#data/table-notes";
import { sourceOf } from "#data/table-source";
import { viewTable } from "#data/table-view";
import { limits } from "#domain/limits";
import { callStep } from "#testing/call-step";
import { forwardedResult, madeTable, tableEnvelope } from "#testing/made-table";
import { withNotes } from "#testing/with-notes";
import step from "./handler.ts";

const context = { environment: {}, now: () => 0, temporaryFolder: "" };
const query = Query.fromPartial({ id: "q1", head: true });
const chain = Chain.fromPartial({ id: "gather-SURF", steps: ["sql-aggregate", "sql-algorithm"] });

async function union(tables: Record<string, Table>, change: Partial<Envelope> = {}): Promise<Table> {
  const outcome = await callStep(step, tableEnvelope(tables, { query, chain, ...change }), context);
  return forwardedResult(outcome).table ?? expect.fail("there is no table");
}

function rowsOf(table: Table): Cell[][] {
  const { rows, columns } = viewTable(table);
  return Array.from({ length: rows }, (_, i) => columns.map(({ cells }) => cells[i] ?? null));
}

const decimal = (precision: number, scale: number) => ({ name: "pay", kind: "decimal", precision, scale }) as const;
const who: ColumnSpec = { name: "who", kind: "text" };
const pays: readonly ColumnSpec[] = [{ name: "pay", kind: "int64" }, decimal(9, 2), decimal(20, 4)];

interface Part {
  readonly specs: readonly ColumnSpec[];
  readonly rows: readonly Cell[][];
  /** Fewer than there are: its head. */
  readonly first: number;
}

const part: fc.Arbitrary<Part> = fc
  .record({
    pay: fc.constantFrom(...pays),
    isTurned: fc.boolean(),
    cells: fc.array(fc.tuple(fc.option(fc.string({ maxLength: 3 })), fc.option(fc.bigInt(-99n, 99n))), {
      maxLength: 8,
    }),
    first: fc.nat(8),
  })
  .map(({ pay, isTurned, cells, first }) => {
    const rows = cells.map((row): Cell[] => (isTurned ? [row[1], row[0]] : [...row]));
    return { specs: isTurned ? [pay, who] : [who, pay], rows, first: hasHead(rows, first) ? first : rows.length };
  });

/** As sql-query cuts it: each column has a value in it. */
function hasHead(rows: readonly Cell[][], first: number): boolean {
  return [0, 1].every((column) => rows.slice(0, first).some((row) => row[column] !== null));
}

const names = ["RUG", "UVA", "VU", "VUMC"];

describe("a union of heads", () => {
  it("is the head of the union, and says how many rows that has", async () => {
    const seen = { cut: 0, whole: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 4 }), async (parts) => {
        const tables = (of: (part: Part) => Table) => Object.fromEntries(parts.map((one, i) => [names[i], of(one)]));
        const whole = await union(tables(({ specs, rows }) => madeTable(specs, rows)));
        const isCut = ({ rows, first }: Part) => first < rows.length;
        const head = await union(
          tables((one) => {
            const table = madeTable(one.specs, one.rows.slice(0, one.first));
            return isCut(one) ? withNotes(table, { headOf: one.rows.length }) : table;
          }),
        );
        const cut = parts.findIndex(isCut);
        const before = parts.slice(0, cut).reduce((sum, { rows }) => sum + rows.length, 0);
        const length = cut === -1 ? whole.rows : before + (parts[cut] as Part).first;
        expect(rowsOf(head)).toEqual(rowsOf(whole).slice(0, length));
        expect(head.rows).toBe(length);
        expect(notesOf(head).headOf).toBe(cut === -1 ? undefined : whole.rows);
        const kinds = (table: Table) => sourceOf(table).specs.map(({ empty: _, ...spec }) => spec);
        expect(kinds(head)).toEqual(kinds(whole));
        seen[cut === -1 ? "whole" : "cut"] += 1;
      }),
      { numRuns: 200, seed: 7 },
    );
    expect(Math.min(seen.cut, seen.whole)).toBeGreaterThan(20);
  });

  it("has nothing of what stands after a part that was cut, and keeps its remarks", async () => {
    const pay = (cell: bigint) => madeTable([pays[0] as ColumnSpec], [[cell]]);
    const table = await union({
      A: withNotes(pay(1n), { headOf: 5 }),
      B: withNotes(pay(2n), { remarks: ["b"], headOf: 3 }),
      C: pay(3n),
    });
    expect([rowsOf(table), notesOf(table)]).toEqual([[[1n]], { remarks: ["B: b"], headOf: 9 }]);
  });

  it("is refused as the whole would be: other columns, and more rows than there may be", async () => {
    const head = withNotes(madeTable([who], [["a"]]), { headOf: 2 });
    await expect(union({ A: head, B: madeTable([decimal(9, 2)], []) })).rejects.toMatchObject({
      code: ErrorCode.SCHEMA_MISMATCH,
    });
    const long = withNotes(head, { headOf: limits.tableRowsMax });
    await expect(union({ A: long, B: madeTable([who], [["b"]]) })).rejects.toMatchObject({
      code: ErrorCode.RESULT_TOO_LARGE,
    });
  });
});

describe("a provider that calls its table a head", () => {
  const one = madeTable([who], [["a"], ["b"]]);
  const called = (headOf: unknown) => ({ A: withNotes(one, { headOf: headOf as number }), B: one });
  const all = [["a"], ["b"], ["a"], ["b"]];

  it.each([0, 1, 2, -1, 2.5, "9", null, [9], { valueOf: 9 }, true, 2 ** 53])(
    "is not believed with %j rows",
    async (headOf) => {
      const table = await union(called(headOf));
      expect([rowsOf(table), notesOf(table)]).toEqual([all, {}]);
    },
  );

  it.each<[string, Partial<Envelope>]>([
    ["no head was asked for", { query: Query.fromPartial({ id: "q1" }) }],
    ["there is no query", { query: undefined }],
    [
      "an algorithm is computed over all",
      { query: Query.fromPartial({ id: "q1", head: true, algorithm: { name: "sum", column: "a" } }) },
    ],
    ["the rows are drawn", { chain: Chain.fromPartial({ steps: ["sql-aggregate", "sql-graph"] }) }],
  ])("does not keep the others' rows out where %s", async (_, change) => {
    const table = await union(called(9), change);
    expect([rowsOf(table), notesOf(table)]).toEqual([all, {}]);
  });

  it("can refuse the union with it, and no more", async () => {
    await expect(union(called(Number.MAX_SAFE_INTEGER))).rejects.toMatchObject({ code: ErrorCode.RESULT_TOO_LARGE });
    const changed = { query: Query.fromPartial({ id: "q1" }) };
    expect(rowsOf(await union(called(Number.MAX_SAFE_INTEGER), changed))).toEqual(all);
  });
});
