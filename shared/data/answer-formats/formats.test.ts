import { tableFromIPC } from "apache-arrow";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Table } from "#contracts";
import { madeTable } from "#testing/made-table";
import type { Cell, ColumnSpec } from "../column-kind.ts";
import { toJsonTable } from "../table-json.ts";
import { tableSource } from "../table-source.ts";
import { arrowBytes } from "./arrow.ts";
import { csvTexts } from "./csv.ts";
import { jsonTableTexts } from "./json.ts";
import { ndjsonTexts } from "./ndjson.ts";
import { type PartyTable, type UnitedTables, uniteTables } from "./united-tables.ts";

const specs: ColumnSpec[] = [
  { name: "text", kind: "text" },
  { name: "big", kind: "int64", unit: "EUR" },
  { name: "amount", kind: "decimal", precision: 38, scale: 2 },
  { name: "real", kind: "double" },
  { name: "day", kind: "date" },
  { name: "at", kind: "timestamp" },
  { name: "yes", kind: "boolean" },
];
const rows: Cell[][] = [
  ["007", 2n ** 53n + 1n, 10n ** 37n + 1n, 0.1, 0, 1n, true],
  ['a "quoted", cell\r\nover lines 𝓤', -1n, -5n, Number.NaN, -719_162, -1n, false],
  ["", 2n ** 53n - 1n, 0n, -0, 1, 0n, null],
  [null, null, null, null, null, null, null],
  ["=1+1", 0n, 12_345n, 1e300, 20_000, 10n ** 15n, true],
];
const table = madeTable(specs, rows);

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const sourceOf = (from: Table, sizes = [from.arrowIpc.length]) => tableSource(from, cut(from.arrowIpc, sizes));

function united(parts: readonly PartyTable[], named = parts.length > 1): UnitedTables {
  const tables = uniteTables(parts, named);
  if (typeof tables === "string") throw new Error(tables);
  return tables;
}

async function whole(texts: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const piece of texts) text += piece;
  return text;
}

async function wholeBytes(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

/** RFC 4180, section 2; a field without quotes that is empty is null here. */
function readCsv(text: string): (string | null)[][] {
  const records: (string | null)[][] = [[]];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  for (let match = field.exec(text); match !== null; match = field.exec(text)) {
    const [, quoted, plain, end] = match;
    records.at(-1)?.push(quoted === undefined ? plain || null : quoted.replaceAll('""', '"'));
    if (end === "\r\n") records.push([]);
    if (field.lastIndex === text.length) break;
  }
  records.pop();
  return records;
}

describe("JSON written row by row", () => {
  it("is the document that a whole table gives", async () => {
    const { columns, rows: jsonRows } = toJsonTable(table.arrowIpc);
    const text = await whole(jsonTableTexts(sourceOf(table, [1, 7, 64])));
    expect(`{${text}}`).toBe(JSON.stringify({ columns, rows: jsonRows, rowCount: rows.length }));
  });
});

describe("NDJSON", () => {
  it("is one object a line, with the values of the JSON answer", async () => {
    const text = await whole(ndjsonTexts(united([{ party: "UVA", source: sourceOf(table) }])));
    expect(text.endsWith("}\n")).toBe(true);
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(JSON.stringify(lines.map((line) => Object.values(line)))).toBe(
      JSON.stringify(toJsonTable(table.arrowIpc).rows),
    );
    expect(lines[0]).toMatchObject({ text: "007", big: "9007199254740993", day: "1970-01-01" });
  });
});

describe("CSV", () => {
  it("keeps every value, tells null from the empty text, and changes no text", async () => {
    const text = await whole(csvTexts(united([{ party: "UVA", source: sourceOf(table) }])));
    const [header, ...records] = readCsv(text);
    expect(header).toEqual(specs.map(({ name }) => name));
    expect(records).toEqual([
      [
        "007",
        "9007199254740993",
        "100000000000000000000000000000000000.01",
        "0.1",
        "1970-01-01",
        "1970-01-01T00:00:00.000001",
        "true",
      ],
      ['a "quoted", cell\r\nover lines 𝓤', "-1", "-0.05", "NaN", "0001-01-01", "1969-12-31T23:59:59.999999", "false"],
      ["", "9007199254740991", "0.00", "0", "1970-01-02", "1970-01-01T00:00:00", null],
      [null, null, null, null, null, null, null],
      ["=1+1", "0", "123.45", "1e+300", "2024-10-04", "2001-09-09T01:46:40", "true"],
    ]);
  });

  it("gives back any texts", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.option(fc.string({ unit: "grapheme" })), fc.option(fc.string()))),
        async (texts) => {
          const made = madeTable(
            [
              { name: "a", kind: "text" },
              { name: "b", kind: "text" },
            ],
            texts,
          );
          const text = await whole(csvTexts(united([{ party: "UVA", source: sourceOf(made, [5]) }])));
          expect(readCsv(text).slice(1)).toEqual(texts);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("has a line for a row whose only cell is null", async () => {
    const made = madeTable([{ name: "a", kind: "text" }], [[null], ["x"]]);
    expect(await whole(csvTexts(united([{ party: "UVA", source: sourceOf(made) }])))).toBe('a\r\n""\r\nx\r\n');
  });
});

describe("Arrow", () => {
  it("gives equal bytes however the table came", async () => {
    const once = await wholeBytes(arrowBytes(united([{ party: "UVA", source: sourceOf(table) }])));
    const cutUp = await wholeBytes(arrowBytes(united([{ party: "UVA", source: sourceOf(table, [3, 11]) }])));
    expect(cutUp.equals(once)).toBe(true);
    expect(toJsonTable(once)).toEqual(toJsonTable(table.arrowIpc));
  });
});

describe("the tables of several parties", () => {
  const small = (name: string, kind: ColumnSpec["kind"], cells: Cell[]) =>
    madeTable(
      [{ name, kind }],
      cells.map((cell) => [cell]),
    );
  const two = (): PartyTable[] => [
    { party: "UVA", source: sourceOf(small("n", "int64", [1n, null])) },
    { party: "VU", source: sourceOf(small("n", "int64", [3n])) },
  ];

  it("become one with a first column that names the party", async () => {
    expect(await whole(csvTexts(united(two())))).toBe("party,n\r\nUVA,1\r\nUVA,\r\nVU,3\r\n");
    expect(await whole(ndjsonTexts(united(two())))).toBe(
      '{"party":"UVA","n":1}\n{"party":"UVA","n":null}\n{"party":"VU","n":3}\n',
    );
    const arrow = tableFromIPC(await wholeBytes(arrowBytes(united(two()))));
    expect(arrow.toArray().map(String)).toEqual([
      '{"party": "UVA", "n": 1}',
      '{"party": "UVA", "n": null}',
      '{"party": "VU", "n": 3}',
    ]);
  });

  it.each([
    ["another name", small("m", "int64", [1n])],
    ["another type", small("n", "double", [1])],
    ["values that no longer mean the same", madeTable([{ name: "n", kind: "int64", anonymized: "year" }], [[1n]])],
  ])("stay apart when one has %s", (_, other) => {
    const parts = [...two().slice(0, 1), { party: "VU", source: sourceOf(other) }];
    expect(uniteTables(parts, true)).toBe("the tables of UVA and VU do not have the same columns");
  });

  it("stay apart when the name of that column is taken", () => {
    const taken = [{ party: "UVA", source: sourceOf(small("Party", "text", ["x"])) }];
    expect(uniteTables(taken, true)).toContain("column party of their own");
    expect(uniteTables(taken, false)).toMatchObject({ named: false });
  });
});

describe("what a table's source fails with", () => {
  it("ends every format before its last piece", async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield table.arrowIpc;
      throw new RangeError("cut off");
    }
    const bare = { ...table, transfer: { name: "t", chunks: 1, bytes: 1, sha256: Buffer.alloc(0) } };
    const source = () => tableSource({ ...bare, rows: rows.length + 1 }, cut(table.arrowIpc, [9]));
    for (const texts of [
      csvTexts(united([{ party: "UVA", source: source() }])),
      ndjsonTexts(united([{ party: "UVA", source: source() }])),
    ]) {
      let text = "";
      await expect(
        (async () => {
          for await (const piece of texts) text += piece;
        })(),
      ).rejects.toMatchObject({ label: "ENVELOPE_INVALID" });
      expect(text).not.toContain("=1+1");
    }
    const sent: Uint8Array[] = [];
    await expect(
      (async () => {
        for await (const piece of arrowBytes(united([{ party: "UVA", source: tableSource(bare, failing()) }])))
          sent.push(piece);
      })(),
    ).rejects.toThrow("cut off");
    expect(sent).toEqual([]);
  });
});
