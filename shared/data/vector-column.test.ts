import type { DuckDBVector } from "@duckdb/node-api";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Cell } from "./column-kind.ts";
import { cellAt } from "./column-values.ts";
import { type Engine, literal, openEngine, pointerReader } from "./duckdb.ts";
import { queryResult } from "./duckdb-table.ts";
import { vectorColumn, vectorKind } from "./vector-column.ts";
import { vectorMemory } from "./vector-memory.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ memoryMb: 256, threads: 1 });
});
afterAll(() => engine.close());
// Of what was read as a result; a session's ends with it.
afterEach(() => engine.connection.run("ROLLBACK").catch(() => {}));

/** Each column twice: from the vectors' memory, and value by value. */
async function bothWays(sql: string): Promise<{ memory: Cell[][]; values: Cell[][] }> {
  const read = await pointerReader();
  const result = await engine.connection.stream(sql);
  const kinds = result.columnTypes().map((type, i) => vectorKind(type, result.columnName(i)));
  const [memory, values] = [kinds.map((): Cell[] => []), kinds.map((): Cell[] => [])];
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    const rows = chunk.rowCount;
    for (const [i, kind] of kinds.entries()) {
      const vector = chunk.getColumnVector(i) as DuckDBVector;
      if (kind.width !== undefined) expect(vectorMemory(vector, rows, kind.width)).toBeDefined();
      const { spec, convert } = kind;
      for (const [way, into] of [[kind, memory[i]] as const, [{ spec, convert }, values[i]] as const]) {
        const cell = cellAt(vectorColumn(way, vector, rows, read), { ...spec, name: "" });
        for (let row = 0; row < rows; row++) into?.push(cell(row));
      }
    }
  }
  return { memory, values };
}

describe("a vector's memory", () => {
  it.each([
    ["(i % 3 = 0)", "BOOLEAN"],
    ["(i % 200 - 100)", "TINYINT"],
    ["(i * 7 - 9000)", "SMALLINT"],
    ["(i * 400001 - 999999999)", "INTEGER"],
    ["(i * 70000000001 - 99999999999999)", "BIGINT"],
    ["(i % 256)", "UTINYINT"],
    ["(i * 13)", "USMALLINT"],
    ["(4294967295 - i)", "UINTEGER"],
    ["(18446744073709551615 - i)", "UBIGINT"],
    ["(99999999999999999999999999999999999999 - i)", "HUGEINT"],
    ["(i - 99999999999999999999999999999999999999)", "HUGEINT"],
    ["(i * 1000000007)", "UHUGEINT"],
    ["(i / 7 - 300)", "FLOAT"],
    ["(CASE i % 5 WHEN 0 THEN 'NaN'::DOUBLE WHEN 1 THEN '-Infinity'::DOUBLE ELSE i / -7 END)", "DOUBLE"],
    ["(i % 100 - 50) / 10", "DECIMAL(4,1)"],
    ["(i - 2500) / 100", "DECIMAL(9,2)"],
    ["(i - 2500) * 1000003 / 1000", "DECIMAL(18,3)"],
    ["(i - 2500) * 1000000000000003 / 1000", "DECIMAL(38,4)"],
    ["DATE '1960-01-01' + i::INTEGER", "DATE"],
    ["TIMESTAMP '1969-12-31 23:00:00.000001' + INTERVAL (i) SECONDS", "TIMESTAMP"],
    ["repeat('é', (i % 30)::INTEGER)", "VARCHAR"],
    ["'always a text of more than twelve bytes'", "VARCHAR"],
    ["TIME '10:00:00'", "TIME"],
  ])("gives what asking for each value does: %s as %s", async (value, type) => {
    const some = (which: string) => `CASE WHEN ${which} THEN CAST(${value} AS ${type}) END`;
    const columns = [some("true"), some("i % 3 > 0"), some("i > 2100"), some("false")];
    const { memory, values } = await bothWays(`SELECT ${columns.join(", ")} FROM range(5000) r(i) WHERE i % 1001 <> 5`);
    expect(memory).toEqual(values);
    expect(memory[3]?.every((cell) => cell === null)).toBe(true);
  });

  it("gives any texts, short and long, in any order", async () => {
    const given = fc.option(fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: "grapheme", maxLength: 30 })));
    await fc.assert(
      fc.asyncProperty(fc.array(given, { minLength: 1, maxLength: 60 }), async (texts) => {
        const clean = texts.map((text) => text?.replaceAll("\0", "") ?? null);
        const rows = clean.map((text, i) => `(${i}, ${text === null ? "NULL" : literal(text)})`);
        const { memory } = await bothWays(`SELECT x FROM (VALUES ${rows.join(", ")}) v(i, x) ORDER BY i`);
        expect(memory[0]).toEqual(clean);
      }),
      { numRuns: 40 },
    );
  });

  it("refuses more text than a table may have before it copies any of it", async () => {
    await expect(bothWays("SELECT repeat('x', 70000000) FROM range(1)")).rejects.toMatchObject({
      label: "RESULT_TOO_LARGE",
    });
  });

  it("takes nothing along of what lies under a null", async () => {
    const hidden = "CASE WHEN i % 2 = 0 THEN i + 77 END";
    const { batches } = await queryResult(
      engine.connection,
      `SELECT ${hidden}, (${hidden})::DOUBLE, (${hidden})::DECIMAL(30,2), (${hidden}) > 0 FROM range(3000) r(i)`,
      [],
    );
    for await (const batch of batches()) {
      for (const { values, length } of batch.data.children) {
        const all = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
        const bits = values.byteLength * 8 < 8 * length;
        const width = all.length / length;
        for (let row = 1; row < length; row += 2) {
          const under = bits
            ? [(all[row >> 3] ?? 0) & (1 << (row & 7))]
            : [...all.subarray(row * width, (row + 1) * width)];
          expect(under.every((byte) => byte === 0)).toBe(true);
        }
      }
    }
  });

  it.each(["100000000000000000000000000000000000000::HUGEINT", "340282366920938463463374607431768211455::UHUGEINT"])(
    "says which column has more than 38 digits: %s",
    async (value) => {
      const rows = async () => {
        const { batches } = await queryResult(
          engine.connection,
          `SELECT 1 AS a, CAST(${value} AS UHUGEINT) AS large`,
          [],
        );
        for await (const batch of batches()) expect(batch.numRows).toBe(1);
      };
      await expect(rows()).rejects.toMatchObject({
        label: "TYPE_MISMATCH",
        message: "column large has a number of more than 38 digits: use CAST(… AS VARCHAR)",
      });
    },
  );
});

it("a vector that is not made as it is known here is asked value by value", async () => {
  const strange = { itemCount: 2, getItem: (row: number) => (row === 0 ? "a text of more than twelve bytes" : null) };
  const kind = { spec: { kind: "text" }, width: 16, convert: (value: string) => value } as const;
  const column = vectorColumn(kind, strange as never, 2, await pointerReader());
  const cell = cellAt(column, { name: "", kind: "text" });
  expect([cell(0), cell(1)]).toEqual(["a text of more than twelve bytes", null]);
});
