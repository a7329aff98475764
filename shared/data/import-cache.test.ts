/** An import is made once, and again where what it left is not whole. */
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DataSet } from "#contracts";
import { openEngine } from "./duckdb.ts";
import { parquetOf } from "./import-cache.ts";
import { parquetColumns } from "./parquet-columns.ts";

let data: string;
let cache: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "dynamos-data-"));
  // Made by the first import.
  cache = join(data, "cache", "of the step");
  await writeFile(join(data, "A.csv"), "id;day;score\n1;2024-01-31;1.50\n2;2024-02-29;\n");
});
afterEach(() => rm(data, { recursive: true, force: true }));

const described = { name: "A", file: "A.csv", columns: [{ name: "score", type: "decimal(9,2)" }] };
const set = DataSet.fromPartial({ name: "s", party: "UVA", type: "csv", delimiter: ";", tables: [described] });
const [table] = set.tables;

function imported(dataSet: DataSet = set) {
  if (table === undefined) throw new Error("the data set has no table");
  return parquetOf(dataSet, table, { data, cache });
}

async function columnsOf(path: string): Promise<[string, string][]> {
  const engine = await openEngine({ memoryMb: 64, threads: 1 });
  try {
    return [...(await parquetColumns(engine.connection, path))];
  } finally {
    engine.close();
  }
}

it("says the columns of an import as its file has them, then and later", async () => {
  const first = await imported();
  const columns = await columnsOf(first.path);
  expect(columns.map(([name]) => name)).toEqual(["id", "day", "score"]);
  expect([...(first.types ?? [])]).toEqual(columns);
  const { ino } = await stat(first.path);
  const again = await imported();
  expect(again.path).toBe(first.path);
  expect([...(again.types ?? [])]).toEqual(columns);
  expect((await stat(again.path)).ino).toBe(ino);
});

it.each<[string, (parquet: string) => Promise<unknown>]>([
  ["without its columns", (parquet) => rm(`${parquet}.types`)],
  ["with broken columns", (parquet) => writeFile(`${parquet}.types`, '[["id"')],
  ["with columns that are none", (parquet) => writeFile(`${parquet}.types`, "7")],
  ["without its file", (parquet) => rm(parquet)],
])("imports anew %s", async (_, spoil) => {
  const first = await imported();
  await spoil(first.path);
  const again = await imported();
  expect([...(again.types ?? [])]).toEqual([...(first.types ?? [])]);
  expect(await columnsOf(again.path)).toEqual([...(first.types ?? [])]);
  // Nothing half made is left.
  expect((await readdir(cache)).length).toBe(3);
});

it("leaves the columns of a Parquet file to whoever opens it", async () => {
  const file = await imported(DataSet.fromPartial({ ...set, type: "parquet" }));
  expect(file).toEqual({ path: join(data, "A.csv") });
});
