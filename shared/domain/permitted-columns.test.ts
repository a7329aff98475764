import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ColumnList } from "#contracts";
import { columnsDenied, columnsLeft, isTablePermitted, permittedColumns } from "./permitted-columns.ts";

const list = (columns: Record<string, string[]>): ColumnList => ({
  tables: Object.entries(columns).map(([table, names]) => ({ table, columns: names })),
});

const there = ["Unieknr", "Naam", "Salschal"];

function permitted(allowed?: ColumnList, denied?: ColumnList): string[] {
  return permittedColumns({ columns: allowed, deniedColumns: denied }, "Personen", there);
}

describe("permittedColumns", () => {
  it("are all where nothing is said", () => {
    expect(permitted()).toEqual(there);
  });

  it("finds an allowed column whatever the case of its name, and keeps the table's spelling", () => {
    expect(permitted(list({ PERSONEN: ["salschal", "NAAM"] }))).toEqual(["Naam", "Salschal"]);
  });

  it("hides a denied column whatever the case of its name", () => {
    expect(permitted(undefined, list({ personen: ["naam"] }))).toEqual(["Unieknr", "Salschal"]);
    expect(permitted(list({ Personen: there }), list({ personen: ["nAAm"] }))).toEqual(["Unieknr", "Salschal"]);
  });

  it("are none of a table that the allowed ones do not name", () => {
    expect(permitted(list({ Aanstellingen: there }))).toEqual([]);
    expect(permitted(list({}))).toEqual([]);
  });

  it("does not take another letter for the same in another case, unless to hide it", () => {
    // The engine folds ASCII letters only: these are two columns.
    const columns = ["É", "é"];
    expect(permittedColumns({ columns: list({ t: ["é"] }) }, "t", columns)).toEqual(["é"]);
    expect(permittedColumns({ columns: undefined, deniedColumns: list({ t: ["é"] }) }, "t", columns)).toEqual([]);
  });
});

describe("isTablePermitted", () => {
  it.each([
    [undefined, true],
    [list({ personen: ["Naam"] }), true],
    [list({ Personen: [] }), false],
    [list({ Aanstellingen: ["Naam"] }), false],
  ])("with %j: %s", (columns, expected) => {
    expect(isTablePermitted({ columns }, "Personen")).toBe(expected);
  });
});

/** Names that meet in several spellings. */
const name = fc.constantFrom("a", "A", "b", "B", "é", "É");
const lists = fc.option(
  fc.dictionary(fc.constantFrom("t", "T", "u", "U"), fc.array(name, { maxLength: 3 })).map(list),
  { nil: undefined },
);

describe("columnsLeft and columnsDenied", () => {
  it("say together what both lists said, whatever the order in which they are applied", () => {
    fc.assert(
      fc.property(lists, lists, fc.constantFrom("t", "T", "u", "v"), (allowed, denied, table) => {
        const columns = ["a", "B", "é", "É", "c"];
        const terms = { columns: columnsLeft(allowed, denied), deniedColumns: columnsDenied(allowed, denied) };
        const both = permittedColumns({ columns: allowed, deniedColumns: denied }, table, columns);
        expect(permittedColumns(terms, table, columns)).toEqual(both);
      }),
    );
  });

  it("name each table once, in order, with its columns in order", () => {
    expect(columnsLeft(list({ u: ["b", "A"], T: ["x"], t: ["X", "y"] }), undefined)).toEqual(
      list({ T: ["x", "y"], u: ["A", "b"] }),
    );
  });
});
