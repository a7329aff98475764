import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DynamosError } from "#errors";
import { toJsonTable } from "../table-json.ts";
import { attacks } from "./attacks.ts";
import { type CanaryWorld, canary, openCanaryWorld, privateName } from "./canary-world.ts";
import { ordinary } from "./ordinary.ts";

let world: CanaryWorld;
beforeAll(async () => {
  world = await openCanaryWorld();
});
afterAll(() => world.close());

const refusals =
  /^(SQL_REFUSED|SQL_INVALID|UNKNOWN_TABLE|UNKNOWN_COLUMN|TYPE_MISMATCH|RESULT_TOO_LARGE|WORKER_OUT_OF_MEMORY)$/;
let passed = 0;
let refusedOrdinary = 0;

describe.each(attacks)("the attack by $name", ({ attacks: queries }) => {
  it.each(queries)("%s", async (sql) => {
    passed += 1;
    const error = await world.run(sql).then(
      ({ arrowIpc }) => new Error(`not refused: ${JSON.stringify(toJsonTable(arrowIpc)).slice(0, 200)}`),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(DynamosError);
    const { label, message } = error as DynamosError;
    expect(label).toMatch(refusals);
    // What the user wrote may be quoted; what is in the data may not.
    for (const secret of [canary, "7391", privateName, "-row"]) {
      if (!sql.includes(secret)) expect(message).not.toContain(secret);
    }
    passed -= 1;
  });
});

describe("an ordinary query", () => {
  it.each(ordinary)("%s", async (sql) => {
    refusedOrdinary += 1;
    const { arrowIpc } = await world.run(sql);
    expect(JSON.stringify(toJsonTable(arrowIpc))).not.toContain(canary);
    refusedOrdinary -= 1;
  });

  // A group of no rows at all is left out too: nobody can tell it from a small one.
  const withEmptyGroups = ["(SELECT count(*) FROM Aanstellingen a WHERE", "(SELECT max(a.Salschal) AS top"];
  const others = ordinary.filter((sql) => !withEmptyGroups.some((part) => sql.includes(part)));
  it.each(others)("gives the same with a minimum group size of 1: %s", async (sql) => {
    const plain = await rowsOf(sql, 0);
    const sized = await rowsOf(sql, 1);
    // Without a row there is no group either, also where nothing is grouped by.
    if (sized.length > 0 || plain.length !== 1) expect(sized).toEqual(plain);
  });
});

async function rowsOf(sql: string, minimumGroupSize: number): Promise<string[]> {
  const { arrowIpc } = await world.run(sql, { terms: { minimumGroupSize } });
  return toJsonTable(arrowIpc)
    .rows.map((row) => JSON.stringify(row))
    .sort();
}

describe("the corpus", () => {
  it("is large enough, holds nothing twice, and lets none of one and all of the other through", () => {
    const all = attacks.flatMap((family) => family.attacks);
    process.stdout.write(
      `corpus: ${all.length} attacks in ${attacks.length} families, ${passed} passing; ${ordinary.length} ordinary queries, ${refusedOrdinary} refused\n`,
    );
    expect(new Set(all).size).toBe(all.length);
    expect(new Set(ordinary).size).toBe(ordinary.length);
    expect(all.length).toBeGreaterThanOrEqual(300);
    expect(ordinary.length).toBeGreaterThanOrEqual(150);
    expect({ passed, refusedOrdinary }).toEqual({ passed: 0, refusedOrdinary: 0 });
  });
});
