import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DynamosError } from "#errors";
import { toJsonTable } from "../table-json.ts";
import { arbitrarySql } from "./arbitrary-sql.ts";
import { type CanaryWorld, canary, openCanaryWorld, privateName } from "./canary-world.ts";

/** Of each kind. `DYNAMOS_FUZZ_RUNS=20000` and another seed make it look longer and elsewhere. */
const numRuns = Number(process.env.DYNAMOS_FUZZ_RUNS ?? 250);
const seed = Number(process.env.DYNAMOS_FUZZ_SEED ?? 20_251_125);

let world: CanaryWorld;
beforeAll(async () => {
  world = await openCanaryWorld();
});
afterAll(() => world.close());

interface Counts {
  ran: number;
  rows: number;
  readonly refused: Map<string, number>;
}

/** @returns all that its asker would see */
async function seen(sql: string, counts: Counts, terms: Parameters<CanaryWorld["run"]>[1]): Promise<string> {
  try {
    const table = toJsonTable((await world.run(sql, terms)).arrowIpc);
    counts.ran += 1;
    counts.rows += table.rows.length;
    return JSON.stringify(table);
  } catch (error) {
    if (!(error instanceof DynamosError)) throw error;
    counts.refused.set(error.label, (counts.refused.get(error.label) ?? 0) + 1);
    return `refused: ${error.message}`;
  }
}

function report(name: string, { ran, rows, refused }: Counts): void {
  const labels = [...refused].map(([label, count]) => `${count} ${label}`).join(", ");
  process.stdout.write(`canary fuzz, ${name}: ${numRuns} queries, ${ran} ran with ${rows} rows, refused: ${labels}\n`);
}

it("never shows a canary, in rows, names, remarks or errors, whatever the query", { timeout: 600_000 }, async () => {
  const counts: Counts = { ran: 0, rows: 0, refused: new Map() };
  await fc.assert(
    fc.asyncProperty(arbitrarySql, fc.boolean(), async (sql, anonymize) => {
      const text = await seen(sql, counts, { anonymize, leftMs: 5_000 });
      for (const secret of [canary, "7391", "-row"]) expect(text).not.toContain(secret);
      if (text.startsWith("refused: ")) expect(text).not.toContain(privateName);
    }),
    { numRuns, seed },
  );
  report("rows", counts);
  expect(counts.ran).toBeGreaterThan(numRuns / 10);
});

it("never shows a name of a single person where aggregates alone are allowed", { timeout: 600_000 }, async () => {
  const counts: Counts = { ran: 0, rows: 0, refused: new Map() };
  const terms = { aggregatesOnly: true, minimumGroupSize: 2 };
  await fc.assert(
    fc.asyncProperty(arbitrarySql, async (sql) => {
      const text = await seen(sql, counts, { terms, leftMs: 5_000 });
      // Every name is of one person alone, and so is every date of birth.
      for (const secret of [canary, "7391", privateName, "1990-01-01", "1980-02-29", "1970-12-31"]) {
        if (!sql.includes(secret)) expect(text).not.toContain(secret);
      }
    }),
    { numRuns, seed: seed + 1 },
  );
  report("aggregates only", counts);
  expect(counts.ran).toBeGreaterThan(0);
});
