import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataSet } from "#contracts";
import { limits } from "#domain/limits";
import { isAllRows } from "./all-rows.ts";
import { type Engine, openEngine, rowsOf } from "./duckdb.ts";
import { fileRows } from "./file-rows.ts";
import { createHead } from "./load-head.ts";
import { parsedSql } from "./sql-tree.ts";
import type { TableRows } from "./table-rows.ts";

const all = 2 * limits.headRows;
let folder: string;
let engine: Engine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-head-"));
  const lines = Array.from({ length: all }, (_, i) => `${i};${i < limits.headRows ? "" : "late"}\n`);
  await writeFile(join(folder, "Rows.csv"), `id;note\n${lines.join("")}`);
  engine = await openEngine({ memoryMb: 128, threads: 1 });
});
afterAll(async () => {
  engine.close();
  await rm(folder, { recursive: true, force: true });
});

describe("a query for all rows of a table as they are", () => {
  it.each([
    "SELECT id FROM Rows",
    "SELECT * FROM Rows",
    "select r.note AS n, id, id from Rows as r;",
    "FROM Rows",
    "SELECT * EXCLUDE (id) FROM Rows -- all",
  ])("is %s", async (sql) => expect(await isAll(sql)).toBe(true));

  it.each([
    "SELECT id FROM Rows WHERE id > 3",
    "SELECT id FROM Rows ORDER BY id DESC",
    "SELECT id FROM Rows LIMIT 300",
    "SELECT id FROM Rows OFFSET 3",
    "SELECT DISTINCT note FROM Rows",
    "SELECT note FROM Rows GROUP BY note",
    "SELECT note FROM Rows GROUP BY ALL",
    "SELECT count(*) FROM Rows",
    "SELECT max(id) FROM Rows",
    "SELECT row_number() OVER () FROM Rows",
    "SELECT id + 1 FROM Rows",
    "SELECT 1 FROM Rows",
    "SELECT * REPLACE (id + 1 AS id) FROM Rows",
    "SELECT COLUMNS('i') + 1 FROM Rows",
    "SELECT (SELECT max(id) FROM Rows) FROM Rows",
    "SELECT id FROM Rows QUALIFY row_number() OVER (ORDER BY id DESC) = 1",
    "SELECT id FROM Rows HAVING true",
    "SELECT id FROM Rows USING SAMPLE 10",
    "SELECT id FROM Rows TABLESAMPLE 10%",
    "SELECT a.id FROM Rows a, Rows b",
    "SELECT a.id FROM Rows a JOIN Rows b USING (id)",
    "SELECT id FROM (SELECT id FROM Rows)",
    "WITH Rows AS (SELECT 1 AS id) SELECT id FROM Rows",
    "SELECT id FROM Rows UNION ALL SELECT id FROM Rows",
    "VALUES (1)",
    "SELECT 1",
  ])("is not %s", async (sql) => expect(await isAll(sql)).toBe(false));

  async function isAll(sql: string): Promise<boolean> {
    const { statements } = await parsedSql(engine.connection, sql);
    const [statement] = statements as Record<string, unknown>[];
    return isAllRows(statement ?? expect.fail(`no statement: ${sql}`));
  }
});

describe("the first rows in place of all", () => {
  const table = { name: "Rows", file: "Rows.csv", columns: [] };
  const dataSet = DataSet.fromPartial({ name: "rows", party: "UVA", type: "csv", delimiter: ";", tables: [table] });
  const rows = (): Promise<TableRows> =>
    fileRows(
      engine.connection,
      { dataSet, table: dataSet.tables[0] ?? expect.fail(), terms: { columns: undefined }, filtered: [] },
      { data: folder, cache: folder },
    );
  const select = (name: string, columns: string[], where = "") => ({ table: name, columns, where });
  const idsOf = async (name: string) =>
    (await rowsOf(engine.connection, `SELECT id::INT FROM "${name}"`)).map(([id]) => id);

  it("are loaded, and all that there are counted", async () => {
    expect(await createHead(engine.connection, await rows(), select("a", ["id"]))).toBe(all);
    expect(await idsOf("a")).toEqual(Array.from({ length: limits.headRows }, (_, i) => i));
  });

  it("are those that the agreement's filter leaves", async () => {
    const where = " WHERE id >= 100";
    expect(await createHead(engine.connection, await rows(), select("b", ["id"], where))).toBe(all - 100);
    expect((await idsOf("b")).at(0)).toBe(100);
  });

  it.each([
    ["few rows", select("c", ["id"], ` WHERE id < ${limits.headRows}`), {}],
    ["a column without a value in them", select("d", ["id", "note"]), {}],
    ["rows that can't be counted", select("e", ["id"]), { count: undefined }],
  ])("are not there for %s, and nothing is left of them", async (_, selection, change) => {
    const source = { ...(await rows()), ...change } as TableRows;
    expect(await createHead(engine.connection, source, selection)).toBeUndefined();
    await source.create(engine.connection, selection);
    const there = await idsOf(selection.table);
    expect(there).toHaveLength(selection.where === "" ? all : limits.headRows);
  });
});
