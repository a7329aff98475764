import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { limits } from "#domain/limits";
import { type CanaryWorld, canary, openCanaryWorld } from "./corpus/canary-world.ts";
import { type Engine, openEngine, rowsOf } from "./duckdb.ts";
import { toJsonTable } from "./table-json.ts";

let world: CanaryWorld;
beforeAll(async () => {
  world = await openCanaryWorld();
});
afterAll(() => world.close());

const rows = async (...given: Parameters<CanaryWorld["run"]>) => toJsonTable((await world.run(...given)).arrowIpc).rows;
const filter = (predicate: string, table = "Personen") => ({ terms: { rowFilters: [{ table, predicate }] } });

describe("row filters", () => {
  it.each([
    ["Geslacht = 'V'", [[0], [1]]],
    ["Naam LIKE 'Zoek%'", [[1]]],
    ["Personen.bsn NOT LIKE '%-row' -- of a column that the user may not see", [[0], [1], [2]]],
    ["CASE WHEN Unieknr = 1 THEN NULL ELSE Unieknr < 900 END", [[0], [2]]],
    ["false", []],
    ["Unieknr < 1 OR Unieknr = 2", [[0], [2]]],
  ])("leave only rows for which %s is true", async (predicate, expected) => {
    expect(await rows("SELECT Unieknr FROM Personen ORDER BY 1", filter(predicate))).toEqual(expected);
  });

  it("hold together, for a table in whatever case, and for no other table", async () => {
    const rowFilters = [
      { table: "personen", predicate: "Unieknr < 2 OR Unieknr > 900" },
      { table: "PERSONEN", predicate: "Geslacht = 'V'" },
    ];
    expect(await rows("SELECT Unieknr FROM Personen ORDER BY 1", { terms: { rowFilters } })).toEqual([[0], [1]]);
    expect(await rows("SELECT count(*) FROM Aanstellingen", { terms: { rowFilters } })).toEqual([[3]]);
  });

  it("see values as they are where the user sees them anonymised", async () => {
    const terms = { terms: { rowFilters: [{ table: "Personen", predicate: "Gebdat = DATE '1980-02-29'" }] } };
    expect(await rows("SELECT Unieknr FROM Personen", { ...terms, anonymize: true })).toEqual([[2]]);
  });

  it.each([
    "nobody = 1",
    "true) OR (true",
    "true) --",
    "EXISTS (SELECT 1)",
    "CAST(Naam AS INT) > 0",
    "Unieknr",
    "1; SELECT 1",
    "",
  ])("that can't be applied let nothing through, and say no value: %s", async (predicate) => {
    const isWhole = predicate === "Unieknr";
    const asked = rows("SELECT * FROM Personen", filter(predicate));
    // A number counts as true where it is not 0, as the engine has it.
    if (isWhole) expect((await asked).map(([id]) => id).sort()).toEqual([1, 2, 999]);
    else {
      await expect(asked).rejects.toMatchObject({
        label: "DENIED",
        message: expect.stringMatching(/^the agreement's row filter of Personen can't be applied/),
      });
      await expect(asked).rejects.toSatisfy((error) => !String(error).includes(canary));
    }
  });
});

describe("the rows of one query", () => {
  const many =
    "SELECT a.Unieknr FROM Personen a, Personen b, Personen c, Personen d, Personen e, Personen f, Personen g";

  it("are no more than the agreement's maximum, which the error names", async () => {
    const terms = { maximumRows: 2 };
    await expect(world.run("SELECT * FROM Personen", { terms })).rejects.toMatchObject({
      label: "RESULT_TOO_LARGE",
      message: expect.stringContaining("more than the 2 rows of the agreement's maximumRows"),
    });
    expect(await rows("SELECT Unieknr FROM Personen LIMIT 2", { terms })).toHaveLength(2);
    expect(await rows("SELECT Unieknr FROM Personen WHERE false", { terms: { maximumRows: 0 } })).toEqual([]);
  });

  it("never leave in pieces beyond it", async () => {
    let bytes = 0;
    const emit = async (piece: Uint8Array) => {
      bytes += piece.length;
    };
    await expect(world.run(many, { terms: { maximumRows: 1_000 }, emit })).rejects.toMatchObject({
      label: "RESULT_TOO_LARGE",
    });
    expect(bytes).toBe(0);
  });
});

describe("the engine of a session", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await openEngine({ memoryMb: 64, threads: 1 });
  });
  afterAll(() => engine.close());

  it.each([
    ["threads", "1"],
    ["memory_limit", "61.0 MiB"],
    ["temp_directory", ""],
    ["max_temp_directory_size", "0 bytes"],
    ["max_expression_depth", String(limits.sqlDepthMax)],
    ["autoinstall_known_extensions", "false"],
    ["autoload_known_extensions", "false"],
  ])("has %s set to %s", async (name, value) => {
    expect(String((await rowsOf(engine.connection, `SELECT current_setting('${name}')`))[0]?.[0])).toBe(value);
  });

  it("ends what needs more memory than it may have, and writes nothing to disk instead", async () => {
    const sql = "SELECT count(*) FROM (SELECT DISTINCT hash(a.range), hash(b.range) FROM range(3000) a, range(3000) b)";
    await expect(engine.connection.runAndReadAll(sql)).rejects.toThrow(/Out of Memory/);
  });

  it("reaches no file once a session has run in it, and can't be opened again", async () => {
    await world.run("SELECT Unieknr FROM Personen", { engine });
    // What fails in a transaction makes all that follows it fail, whatever that is.
    await engine.connection.run("ROLLBACK");
    for (const sql of [
      "SELECT * FROM read_text('/etc/hostname')",
      "SET enable_external_access = true",
      "SET memory_limit = '1GB'",
      "RESET lock_configuration",
      "ATTACH '/tmp/dynamos-x.db'",
      "COPY (SELECT 1) TO '/tmp/dynamos-x.csv'",
      "LOAD httpfs",
    ]) {
      await expect(engine.connection.run(sql), sql).rejects.toThrow(/Permission Error|configuration has been locked/);
    }
  });
});

it("holds in a session no column, table or row that is not permitted, whoever could look at the engine itself", async () => {
  for (const sql of ["SELECT bsn FROM Personen", "SELECT * FROM Geheim", "SELECT Code FROM Aanstellingen"]) {
    await expect(world.run(sql)).rejects.toMatchObject({ label: expect.stringMatching(/^UNKNOWN_(COLUMN|TABLE)$/) });
  }
  expect(await rows("SELECT count(*), max(Unieknr) FROM Personen")).toEqual([[3, 2]]);
});
