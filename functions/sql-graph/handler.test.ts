import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Approval, ErrorCode, type Table } from "#contracts";
import type { Cell, ColumnSpec } from "#data/column-kind";
import { limits } from "#domain/limits";
import { callStep } from "#testing/call-step";
import { forwardedResult, madeTable, tableEnvelope } from "#testing/made-table";
import { withNotes } from "#testing/with-notes";
import step from "./handler.ts";

const context = { environment: {}, now: () => 0, temporaryFolder: "" };
const gender: ColumnSpec = { name: "Geslacht", kind: "text", title: "Gender" };
const faculty: ColumnSpec = { name: "HOOPgeb", kind: "text", title: "Faculty" };
const scale: ColumnSpec = { name: "Salschal", kind: "int64", title: "Salary scale", unit: "scale" };
const average: ColumnSpec = { name: "average", kind: "double", title: "average of Salary scale", unit: "scale" };
const count: ColumnSpec = { name: "count", kind: "int64" };

async function resultFor(table: Table) {
  const envelope = tableEnvelope({ UVA: table });
  return forwardedResult(await callStep(step, envelope, context));
}

const svgOf = async (table: Table) => (await resultFor(table)).chart?.svg ?? "";
const averages = (specs: ColumnSpec[], rows: Cell[][]) =>
  withNotes(madeTable([...specs, average, count], rows), { algorithm: { name: "average", over: "Salschal" } });

/** What bars, dots and lines say of themselves. */
function marksIn(svg: string): string[] {
  return [...svg.matchAll(/<title>([^<]*)<\/title>/g)].map(([, title]) => title ?? "").slice(1);
}

/** Whether each element that is opened is closed, in order: enough to be XML, as nothing else is written. */
function isBalanced(svg: string): boolean {
  const open: string[] = [];
  const rest = svg.replace(/<(\/?)([a-z]+)((?: [a-zA-Z0-9-]+="[^"<]*")*)(\/?)>/g, (_, closes, name, __, empty) => {
    if (closes === "/") return open.pop() === name ? "" : "<";
    if (empty === "") open.push(name);
    return "";
  });
  return open.length === 0 && !rest.includes("<") && !/&(?!(?:amp|lt|gt|quot|#39);)/.test(rest);
}

describe("sql-graph", () => {
  it("draws the groups of an algorithm as bars, with title, axes and units, for the eye and for the ear", async () => {
    const svg = await svgOf(
      averages(
        [gender],
        [
          ["M", 11.877, 3n],
          ["V", 10.597, 4n],
        ],
      ),
    );
    expect(marksIn(svg)).toEqual(["M: 11.877", "V: 10.597"]);
    expect(svg).toMatch(/^<svg [^>]*role="img"[^>]*><title>Average of Salary scale by Gender<\/title>/);
    expect(svg).toContain(">average of Salary scale (scale)</text>");
    expect(svg).toContain(">Gender</text>");
    expect(svg).toContain("<desc>Bar chart of average of Salary scale (scale) over Gender.</desc>");
  });

  it("gives the second group a colour and a legend", async () => {
    const rows = [
      ["ECON", "M", 12, 1n],
      ["ECON", "V", 11, 1n],
      ["NATU", "M", 10, 1n],
    ];
    const svg = await svgOf(averages([faculty, gender], rows));
    expect(marksIn(svg)).toEqual(["ECON, M: 12", "ECON, V: 11", "NATU, M: 10"]);
    expect(svg).toContain(">M</text>");
  });

  it("keeps the table beside the chart", async () => {
    const table = averages([gender], [["M", 1, 1n]]);
    expect((await resultFor(table)).table).toBe(table);
  });

  it.each([
    ["dates", "date", [18_000, 18_100, 18_050, 18_200], "2019-04-14"],
    ["whole numbers that are dates", "int64", [20_190_414n, 20_200_101n, 20_200_501n, 20_201_231n], "2019-04-14"],
    ["years", "int64", [1990n, 1960n, 1970n, 1980n], "1960"],
  ] as const)("follows %s with a line", async (_, kind, cells, first) => {
    const svg = await svgOf(
      averages(
        [{ name: "when", kind }],
        cells.map((cell, index) => [cell, index, 1n]),
      ),
    );
    expect(svg).toContain("<desc>Line chart");
    expect(svg).toContain(`>${first}</text>`);
    expect(marksIn(svg)).toHaveLength(1 + cells.length);
  });

  it("shows how rows are spread: the measure's values, by category", async () => {
    const rows: Cell[][] = [
      ["V", 3n, 1n],
      ["M", 3n, 2n],
      ["V", 3n, 3n],
      ["V", 5n, 4n],
      ["M", null, 5n],
      ["V", 3n, 3n],
    ];
    const table = madeTable([gender, scale, { name: "Unieknr", kind: "int64" }], rows);
    const svg = await svgOf(withNotes(table, { measure: { column: "Salschal", groupBy: [] } }));
    expect(marksIn(svg)).toEqual(["3, M: 1", "3, V: 3", "4, M: 0", "4, V: 0", "5, M: 0", "5, V: 1"]);
    expect(svg).toContain(">1 rows without a value are left out</text>");
    expect(svg).toContain("Distribution of Salary scale by Gender");
  });

  it("puts a wide range into steps that lose no row", async () => {
    const numbers = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(numbers, async (values) => {
        const rows = [...values, ...values].map((value) => [value]);
        const svg = await svgOf(madeTable([{ name: "x", kind: "double" }], rows));
        const total = marksIn(svg).reduce(
          (sum, mark) => sum + Number(mark.replace(/^.*: /s, "").replaceAll(",", "")),
          0,
        );
        expect(total).toBe(rows.length);
      }),
      { numRuns: 60 },
    );
  });

  it("counts the values of a column when nothing can be measured", async () => {
    const svg = await svgOf(madeTable([gender], [["V"], ["M"], ["V"], [null]]));
    expect(marksIn(svg)).toEqual(["(none): 1", "M: 1", "V: 2"]);
  });

  it("draws the largest when there are too many bars, and says how many are left out", async () => {
    const rows = Array.from({ length: 55 }, (_, index) => [`c${index}`, index]);
    const svg = await svgOf(
      madeTable(
        [
          { name: "code", kind: "text" },
          { name: "n", kind: "double" },
        ],
        rows,
      ),
    );
    expect(marksIn(svg)).toHaveLength(limits.chartBarsMax);
    expect(svg).toContain("c54: 54");
    expect(svg).not.toContain("c14: 14<");
    expect(svg).toContain(">The 40 largest; 15 more are left out</text>");
  });

  it("says so when there is nothing to draw", async () => {
    for (const rows of [[], [["M", null, 0n]]])
      expect(await svgOf(averages([gender], rows))).toContain(">no values</text>");
    expect(await svgOf(madeTable([], []))).toContain("<svg");
  });

  it("draws one bar for a result without groups", async () => {
    expect(marksIn(await svgOf(averages([], [[10.25, 4n]])))).toEqual(["all: 10.25"]);
  });

  it("is well-formed and holds no markup of the data's, whatever the data says", async () => {
    const anyText = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom('"><script>', "]]>", "&amp;", "\u0000\uD800", "'"),
    );
    await fc.assert(
      fc.asyncProperty(
        anyText,
        anyText,
        fc.array(fc.tuple(anyText, fc.double()), { maxLength: 6 }),
        async (name, title, rows) => {
          const svg = await svgOf(
            madeTable(
              [
                { name, kind: "text", title },
                { name: "n", kind: "double", unit: title },
              ],
              rows,
            ),
          );
          expect(isBalanced(svg)).toBe(true);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: what XML does not allow is what is looked for.
          expect(svg).not.toMatch(/[\u0000-\u0008\u000B\u000C\u000E-\u001F]|NaN|Infinity/);
        },
      ),
    );
  });

  it("draws the same bytes for the same table", async () => {
    const table = () =>
      averages(
        [faculty, gender],
        [
          ["a", "M", 1 / 3, 1n],
          ["b", "V", 2 / 3, 1n],
        ],
      );
    expect(await svgOf(table())).toBe(await svgOf(table()));
  });

  it("refuses an envelope without a table and rehearses without a failure", async () => {
    await expect(callStep(step, tableEnvelope({}), context)).rejects.toMatchObject({
      code: ErrorCode.ENVELOPE_INVALID,
    });
    await expect(step.rehearse?.(context)).resolves.toBeUndefined();
  });

  it("draws no bar that stands for fewer rows than the largest minimum of all providers", async () => {
    const approvals = [1, 3].map((minimumGroupSize) => Approval.fromPartial({ terms: { minimumGroupSize } }));
    const svgUnder = async (table: Table) => {
      const envelope = tableEnvelope({ UVA: table }, { approvals });
      return forwardedResult(await callStep(step, envelope, context)).chart?.svg ?? "";
    };
    const names = ["a", "a", "a", "b", "c", "c"].map((name): Cell[] => [name]);
    const counted = await svgUnder(madeTable([faculty], names));
    expect(marksIn(counted)).toEqual(["a: 3"]);
    expect(counted).toContain("2 bars of fewer than 3 rows left out");
    expect(counted).not.toContain(">b<");
    const values = [1n, 1n, 1n, 1n, 5n].map((value): Cell[] => [value]);
    const spread = await svgUnder(madeTable([scale], values));
    expect(marksIn(spread)).toEqual(["1: 4"]);
    expect(spread).toContain("1 bar of fewer than 3 rows left out");
  });
});
