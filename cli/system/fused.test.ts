/** The whole system with steps fused at every party, over the public data: gateway, function processes, workers and sidecars. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRealSystem, type RealSystem } from "#testing/real-system";
import { golden, hasWageGapData, numbersOf, q1, q4, type ResultJson, resultsOf } from "#testing/wage-gap-data";
import { ask, type QueryBody } from "../commands/ask.ts";
import type { Stack } from "../stack/read-stack.ts";

const fuse = { "sql-query": "sql-anonymize,sql-algorithm,sql-graph", "sql-aggregate": "sql-algorithm,sql-graph" };

interface Remembered {
  readonly id: string;
  readonly results: unknown;
}

const auth = { user: "admin", password: "of the test" };

function fused(stack: Stack): Stack {
  const functions = stack.functions.map((fn) => {
    if (fn.name === "orchestrator") return { ...fn, environment: { ...fn.environment, result_cache_mb: "16" } };
    const step = fn.annotations.topic?.split(".")[1] ?? "";
    const steps = (fuse as Readonly<Record<string, string>>)[step];
    if (steps === undefined) return fn;
    const annotations = { ...fn.annotations, "com.dynamos.fuse": steps };
    return { ...fn, annotations, environment: { ...fn.environment, fuse: steps } };
  });
  return { ...stack, functions };
}

describe.skipIf(!hasWageGapData())("the public data, with steps fused", () => {
  let real: RealSystem;
  const query = (body: Partial<QueryBody>) =>
    ask(real.orchestrator, { providers: ["VU", "UVA"], sql: q1, algorithm: "average", ...body });
  /** Of each function, as the gateway counts them. */
  async function invocations(): Promise<Record<string, number>> {
    const headers = { authorization: `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString("base64")}` };
    const listed = (await (await fetch(`${real.system.url}/system/functions`, { headers })).json()) as {
      name: string;
      invocationCount?: number;
    }[];
    return Object.fromEntries(listed.map(({ name, invocationCount = 0 }) => [name, invocationCount]));
  }

  beforeAll(async () => {
    real = await openRealSystem({ broker: "memory", sidecars: "in-process", gatewayAuth: auth, changeStack: fused });
  }, 120_000);
  afterAll(() => real?.stop(), 30_000);

  it.each([
    ["Q1", q1],
    ["Q4", q4],
  ] as const)("%s gives the golden numbers at home and through the third party", async (name, sql) => {
    const atHome = resultsOf(await query({ sql, options: { graph: true } }));
    expect(atHome).toHaveLength(2);
    for (const result of atHome) {
      expect(numbersOf(result)).toEqual(golden[name][result.party as "UVA" | "VU"]);
      expect(result.chart?.svg).toMatch(/^<svg/);
    }
    const [union] = resultsOf(await query({ sql, options: { aggregate: true } }));
    expect(numbersOf(union as ResultJson)).toEqual(golden[name].SURF);
  });

  it("did so without a call of the functions of later steps", async () => {
    const counts = await invocations();
    expect(counts["uva-sql-query"]).toBeGreaterThan(0);
    expect(counts["surf-sql-aggregate"]).toBeGreaterThan(0);
    for (const name of ["uva-sql-anonymize", "uva-sql-algorithm", "vu-sql-algorithm", "vu-sql-graph"]) {
      expect([name, counts[name]]).toEqual([name, 0]);
    }
  });

  it.each([
    ["at home", {}],
    ["through the third party", { options: { aggregate: true } }],
  ])("an answer that is remembered is given again, %s, and nothing is computed for it", async (_, how) => {
    const asked = { ...how, sql: q1, algorithm: "sum" };
    const first = (await query(asked)).body as unknown as Remembered;
    const before = await invocations();
    const again = (await query(asked)).body as unknown as Remembered;
    expect(again).toMatchObject({ results: first.results, reused: { query: first.id } });
    // Each provider was asked whether its data is as it was.
    const { "uva-sql-query": asks = 0, ...others } = before;
    expect(await invocations()).toMatchObject({ "uva-sql-query": asks + 1 });
    const untouched = Object.keys(others).filter((name) => /-sql-(?!query)/.test(name));
    for (const name of untouched) expect([name, (await invocations())[name]]).toEqual([name, before[name]]);
  });
});
