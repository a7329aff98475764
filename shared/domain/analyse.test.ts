import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Knowledge, Plan } from "#contracts";
import { arbitraryWorld, type World } from "#testing/arbitrary-world";
import { changeRelation, wageGapKnowledge, wageGapQuery } from "#testing/wage-gap-knowledge";
import { analyse } from "./analyse.ts";
import { makePlan } from "./plan.ts";
import { evaluate } from "./policy.ts";

function planOf({ query, knowledge, nowMs }: World): Plan | undefined {
  const verdicts = [...new Set(query.providers)].map((provider) => evaluate(query, provider, knowledge, nowMs));
  const plan = makePlan(query, { verdicts, approvals: [] }, knowledge, 1);
  return "chains" in plan ? plan : undefined;
}

function withLoads(knowledge: Knowledge, loads: readonly (number | undefined)[]): Knowledge {
  const parties = knowledge.parties.map(({ load: _, ...party }, index) => {
    const load = loads[index % loads.length];
    return load === undefined ? party : { ...party, load };
  });
  return { ...knowledge, parties };
}

const arbitraryLoads = fc.array(fc.constantFrom(undefined, 0, 0.79, 0.8, 1), { minLength: 1, maxLength: 7 });

describe("analyse", () => {
  it("never plans a query again because of a load, whatever it was and has become", () => {
    let planned = 0;
    let other = 0;
    fc.assert(
      fc.property(arbitraryWorld, arbitraryLoads, arbitraryLoads, (world, before, after) => {
        const then = { ...world, knowledge: withLoads(world.knowledge, before) };
        const now = { ...world, knowledge: withLoads(world.knowledge, after) };
        const plan = planOf(then);
        if (plan === undefined) return;
        planned += 1;
        if (planOf(now)?.choices[0]?.archetype !== plan.choices[0]?.archetype) other += 1;
        expect(analyse(world.query, plan, now.knowledge, world.nowMs)).toBeUndefined();
      }),
      { numRuns: 600, seed: 7 },
    );
    // Or the above would say little.
    expect({ planned: planned > 60, other: other > 5 }).toEqual({ planned: true, other: true });
  });

  it("still sees what is no longer agreed, under the loads of the plan", () => {
    const knowledge = withLoads(wageGapKnowledge(), [1, 1, 1, 0.1, 0.1]);
    const query = wageGapQuery();
    const plan = planOf({ query, knowledge, nowMs: 0 });
    expect(plan?.choices).toMatchObject([{ archetype: "dataThroughTtp", rule: "load" }]);
    if (plan === undefined) return;
    const idle = withLoads(knowledge, [undefined]);
    expect(analyse(query, plan, idle, 0)).toBeUndefined();
    changeRelation(idle, "UVA", { allowedArchetypes: ["computeToData"] });
    expect(analyse(query, plan, idle, 0)).toBe("computeToData of UVA, VU instead of dataThroughTtp of UVA, VU at SURF");
  });
});
