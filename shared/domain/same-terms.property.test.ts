import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Agreement, Chain, Plan, Relation, Terms } from "#contracts";
import { arbitraryRelation, arbitraryTerms, arbitraryWorld, user, type World } from "#testing/arbitrary-world";
import { makePlan } from "./plan.ts";
import { evaluateAgain } from "./policy.ts";
import { sameChains, stillCovers } from "./same-terms.ts";

const runs = { numRuns: 2_000 };

/** Of an agreement: its own fields and those of one relation. */
type Fields = Omit<Agreement, "name" | "relations"> & Relation;

/** Other values for one field; every field that there is has a turn. */
const change = fc
  .record({ relation: arbitraryRelation, terms: arbitraryTerms })
  .map(({ relation, terms }): Fields => ({ ...relation, ...terms }))
  .chain((other) => fc.constantFrom(...(Object.keys(other) as (keyof Fields)[])).map((field) => ({ field, other })));

type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never;

/** The same world in which one steward has changed one field. */
function changed(world: World, provider: string, { field, other }: Change): World {
  const agreements = world.knowledge.agreements.map((agreement) => {
    if (agreement.name !== provider) return agreement;
    if (field in agreement) return { ...agreement, [field]: other[field] };
    const relation = { ...agreement.relations[user], [field]: other[field] } as Relation;
    return { ...agreement, relations: { ...agreement.relations, [user]: relation } };
  });
  return { ...world, knowledge: { ...world.knowledge, agreements } };
}

function planOf({ knowledge, query, nowMs }: World): Plan | undefined {
  const verdicts = [...new Set(query.providers)].map((name) => evaluateAgain(query, name, knowledge, nowMs));
  const plan = makePlan(query, { verdicts, approvals: [] }, knowledge, 1);
  return "chains" in plan ? plan : undefined;
}

function termsOf({ knowledge, query, nowMs }: World, provider: string): Terms | undefined {
  const { decision } = evaluateAgain(query, provider, knowledge, nowMs);
  return decision?.$case === "terms" ? decision.value : undefined;
}

function useOf({ archetype, gatherAt }: Chain, { chains }: Plan) {
  return { archetype, computeProvider: chains.find(({ id }) => id === gatherAt)?.party ?? "" };
}

interface Looked {
  readonly before: Terms;
  readonly after: Terms | undefined;
  readonly plan: Plan;
  readonly planAfter: Plan | undefined;
  readonly verdict: string | undefined;
}

/** A provider that takes part, before and after its change; undefined where nothing runs. */
function look(world: World, seed: number, one: Change): Looked | undefined {
  const plan = planOf(world);
  const running = plan?.chains.filter(({ id, party }) => id === party) ?? [];
  const chain = running[seed % Math.max(1, running.length)];
  const before = chain && termsOf(world, chain.party);
  if (plan === undefined || chain === undefined || before === undefined) return undefined;
  const now = changed(world, chain.party, one);
  const after = termsOf(now, chain.party);
  const verdict = after === undefined ? "refused" : stillCovers(before, after, useOf(chain, plan));
  return { before, after, plan, planAfter: planOf(now), verdict };
}

/** What is compared by what the chain uses, and the revision, which every change counts up. */
function compared({ archetypes: _a, computeProviders: _c, agreementRevision: _r, ...rest }: Terms) {
  return rest;
}

const allowsMore = (before: Terms, after: Terms) =>
  !after.archetypes.every((name) => before.archetypes.includes(name)) ||
  !after.computeProviders.every((name) => before.computeProviders.includes(name));

describe("a query that is still covered after any one change of one agreement", () => {
  it("has the same terms, and, unless more is allowed than before, the same chains", () => {
    const seen = { goesOn: 0, stops: 0 };
    fc.assert(
      fc.property(arbitraryWorld, fc.nat(3), change, (world, seed, one) => {
        const looked = look(world, seed, one);
        if (looked === undefined) return;
        const { before, after, plan, planAfter, verdict } = looked;
        if (verdict !== undefined || after === undefined) {
          seen.stops += 1;
          return;
        }
        seen.goesOn += 1;
        expect(compared(after)).toEqual(compared(before));
        if (!allowsMore(before, after)) {
          expect(planAfter !== undefined && sameChains(plan, planAfter)).toBe(true);
        }
      }),
      runs,
    );
    expect(seen.goesOn).toBeGreaterThan(runs.numRuns / 20);
    expect(seen.stops).toBeGreaterThan(runs.numRuns / 50);
  });

  it("is stopped only when it is refused or something that it stands on has changed", () => {
    fc.assert(
      fc.property(arbitraryWorld, fc.nat(3), change, (world, seed, one) => {
        const looked = look(world, seed, one);
        if (looked?.verdict === undefined || looked.after === undefined) return;
        const { before, after, plan, planAfter } = looked;
        const sameTerms = JSON.stringify(compared(before)) === JSON.stringify(compared(after));
        expect(sameTerms && planAfter !== undefined && sameChains(plan, planAfter)).toBe(false);
      }),
      runs,
    );
  });
});
