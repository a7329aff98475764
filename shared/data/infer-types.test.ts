import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEngine, rowsOf } from "./duckdb.ts";
import { importCsv } from "./import-csv.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-infer-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function imported(lines: readonly string[], described: Record<string, string> = {}) {
  const source = join(folder, "v.csv");
  const target = join(folder, "v.parquet");
  // A second column, so that an empty value is no blank line.
  await writeFile(source, ["v;n", ...lines.map((line, i) => `${line};${i}`)].join("\n"));
  await importCsv({ source, target, delimiter: ";", described: new Map(Object.entries(described)) });
  const engine = await openEngine({ memoryMb: 128, threads: 1 });
  try {
    const [[, type] = []] = await rowsOf(engine.connection, `DESCRIBE SELECT v FROM read_parquet('${target}')`);
    const values = await rowsOf(engine.connection, `SELECT CAST(v AS VARCHAR) FROM read_parquet('${target}')`);
    return { type, values: values.map(([value]) => value) };
  } finally {
    engine.close();
  }
}

describe("the type of a CSV column", () => {
  it.each([
    [["1", "-20", "0"], "BIGINT"],
    [["9007199254740993", "9223372036854775807"], "BIGINT"],
    [["9223372036854775808", "1"], "DECIMAL(19,0)"],
    [["00", "1"], "VARCHAR"],
    [["0001", "0027"], "VARCHAR"],
    [["+1", "2"], "VARCHAR"],
    [["-0", "1"], "VARCHAR"],
    [["1.50", "-12.25"], "DECIMAL(4,2)"],
    [["1e5", "2"], "VARCHAR"],
    [["2020-02-29", "0001-01-01"], "DATE"],
    [["2021-02-29", "2020-01-01"], "VARCHAR"],
    [["2020-01-01 10:00:00", "2020-01-01 10:00:00.000001"], "TIMESTAMP"],
    [["true", "false"], "BOOLEAN"],
    [["true", "ja"], "VARCHAR"],
    [["é", "🙂"], "VARCHAR"],
  ])("of %j is %s, and no value changes", async (values, type) => {
    expect(await imported(values)).toEqual({ type, values: [...values] });
  });

  it.each([
    [["1", "", "3"], "BIGINT"],
    [["2020-01-01", ""], "DATE"],
    [["1.5", "", "2.5"], "DECIMAL(2,1)"],
    [["", "true"], "BOOLEAN"],
    [["", ""], "VARCHAR"],
  ])("of %j is %s although some are missing, and those are null", async (values, type) => {
    expect(await imported(values)).toEqual({ type, values: values.map((value) => (value === "" ? null : value)) });
  });

  it("tells a missing value from an empty text", async () => {
    expect((await imported(["", '""', "x"])).values).toEqual([null, "", "x"]);
  });

  it("is the described one, where there is one", async () => {
    expect((await imported(["1", "2"], { v: "text" })).type).toBe("VARCHAR");
    expect((await imported(["1", "2"], { v: "double" })).type).toBe("DOUBLE");
  });

  it.each([
    [["1", "x"], "integer", "v.csv, row 3, column 1 (v): not a value of the type integer"],
    [["2020-01-01", "2020-13-01"], "date", "v.csv, row 3, column 1 (v): not a value of the type date"],
    [["1.5", "x"], "decimal", "v.csv, row 3, column 1 (v): not a value of the type decimal"],
  ])("%j described as %s is refused by row and column", async (values, described, message) => {
    await expect(imported(values, { v: described })).rejects.toMatchObject({ label: "DATA_UNREADABLE", message });
  });
});
