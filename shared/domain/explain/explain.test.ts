import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Knowledge, Query } from "#contracts";
import { arbitraryWorld } from "#testing/arbitrary-world";
import { clauseChecks } from "../clause-checks.ts";
import { makePlan } from "../plan.ts";
import { approvalsOf, evaluate } from "../policy.ts";
import { comparisonOf } from "./comparisons.ts";
import { editJson, wordsOf } from "./edit-words.ts";
import { decisionOf, explain } from "./explain.ts";
import { remediedClauses, remediesOf } from "./remedies.ts";
import { type Edit, edited, emptyRelation, type Situation } from "./situation.ts";

const runs = { numRuns: 2_000 };

/** Worlds in which every clause has something to say. */
const situations: fc.Arbitrary<Situation> = fc
  .record({
    world: arbitraryWorld,
    purposes: fc.option(fc.subarray(["research", "billing"]), { nil: undefined }),
    recipients: fc.option(fc.subarray(["requestor", "archive"]), { nil: undefined }),
    purpose: fc.constantFrom("", "research", "sales"),
    quota: fc.option(fc.record({ max: fc.nat(2), periodMs: fc.constantFrom(7, 60_000) }), { nil: undefined }),
    queries: fc.option(fc.nat(2), { nil: undefined }),
    given: fc.constantFrom("requestor", "archive", ""),
    hasDataSets: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
  })
  .map(({ world: { knowledge, query, nowMs }, ...more }) => ({
    nowMs,
    query: { ...query, purpose: more.purpose },
    knowledge: {
      ...knowledge,
      dataSets: more.hasDataSets ? knowledge.dataSets : [],
      archetypes: knowledge.archetypes.map((one) => ({ ...one, resultRecipient: more.given })),
      usage:
        more.queries === undefined ? [] : query.providers.map((provider) => ({ provider, queries: more.queries ?? 0 })),
      agreements: knowledge.agreements.map((agreement) => ({
        ...agreement,
        relations: Object.fromEntries(
          Object.entries(agreement.relations).map(([name, relation]) => [
            name,
            {
              ...relation,
              purposes: more.purposes && { names: more.purposes },
              resultRecipients: more.recipients && { names: more.recipients },
              queriesPerPeriod: more.quota,
            },
          ]),
        ),
      })),
    },
  }));

const allows = ({ query, knowledge, nowMs }: Situation, provider: string) =>
  evaluate(query, provider, knowledge, nowMs).decision?.$case === "terms";

it("every clause has a comparison in words and a remedy", () => {
  const question = {
    query: Query.fromPartial({ requestType: "r" }),
    provider: "P",
    agreement: { name: "P", relations: {}, computeProviders: [], archetypes: [], demandedSteps: {}, revision: 1 },
    relation: emptyRelation,
    describedDataSets: [],
    archetypes: [],
    usage: undefined,
    nowMs: 0,
  };
  expect(clauseChecks.filter(({ name }) => comparisonOf(name, question) === "")).toEqual([]);
  expect(clauseChecks.map(({ name }) => name).sort()).toEqual([...remediedClauses].sort());
});

describe("an explanation", () => {
  it("has the verdicts and the plan of a run, and a clause that fails for each refusal", () => {
    fc.assert(
      fc.property(situations, (situation) => {
        const { query, knowledge, nowMs } = situation;
        const { providers, plan } = explain(situation);
        const verdicts = [...new Set(query.providers)].sort().map((one) => evaluate(query, one, knowledge, nowMs));
        expect(providers.map(({ verdict }) => verdict)).toEqual(verdicts);
        expect(plan).toEqual(makePlan(query, { verdicts, approvals: approvalsOf(query, verdicts, 0) }, knowledge, 1));
        for (const { verdict, clauses } of providers) {
          const against = clauses.flatMap(({ reasons }) => reasons);
          expect(clauses.every(({ holds }) => holds)).toBe(verdict.decision?.$case === "terms");
          if (verdict.decision?.$case === "refusal") expect(against).toEqual(verdict.decision.value.reasons);
        }
      }),
      runs,
    );
  });

  it("does not say the id that an agreement is bound to, nor anything of other users", () => {
    fc.assert(
      fc.property(situations, (situation) => {
        const secret = "u-secret-4711";
        const bound = { ...situation, knowledge: boundTo(situation.knowledge, secret) };
        const { providers, planRemedies } = explain(bound);
        const said = JSON.stringify([
          providers.map(({ clauses, remedies }) => [clauses, remedies]),
          providers.flatMap(({ remedies }) => remedies.flatMap(({ alternatives }) => alternatives.flat().map(told))),
          planRemedies,
        ]);
        expect(said).not.toContain(secret);
        expect(said).not.toContain("stranger@example.org");
      }),
      runs,
    );
  });
});

const told = (edit: Edit) => [wordsOf(edit, "user@example.org"), editJson(edit, "user@example.org")];

function boundTo(knowledge: Situation["knowledge"], id: string): Situation["knowledge"] {
  const agreements = knowledge.agreements.map((agreement) => ({
    ...agreement,
    relations: Object.fromEntries(
      Object.entries(agreement.relations).map(([name, relation]) => [name, { ...relation, id }]),
    ),
  }));
  return { ...knowledge, agreements };
}

describe("the remedies of a refusal", () => {
  it("make an approval of it, whichever alternative is taken for each clause", () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(situations, fc.infiniteStream(fc.nat(5)), (situation, choices) => {
        for (const provider of new Set(situation.query.providers)) {
          if (allows(situation, provider)) continue;
          const remedies = remediesOf(situation, provider);
          expect(remedies.length).toBeGreaterThan(0);
          const edits = remedies.flatMap(({ clause, alternatives }) => {
            seen.set(clause, (seen.get(clause) ?? 0) + 1);
            // Only who was never there can't be helped by anybody.
            expect(alternatives.length > 0 || clause === "provider").toBe(true);
            return alternatives[choices.next().value % Math.max(1, alternatives.length)] ?? [];
          });
          if (edits.length === 0) continue;
          const after = edited(situation, edits);
          if (after.query.providers.includes(provider)) {
            expect({ provider, edits, allowed: allows(after, provider) }).toMatchObject({ allowed: true });
          }
        }
      }),
      runs,
    );
    const never = [...remediedClauses, "relations", "provider"].filter((clause) => (seen.get(clause) ?? 0) < 20);
    expect(never).toEqual([]);
  });

  it("are needed, each of them: with one clause left out the refusal stays", () => {
    fc.assert(
      fc.property(situations, (situation) => {
        for (const provider of new Set(situation.query.providers)) {
          const remedies = allows(situation, provider) ? [] : remediesOf(situation, provider);
          for (const left of remedies) {
            const edits = remedies.filter((one) => one !== left).flatMap(({ alternatives }) => alternatives[0] ?? []);
            expect(allows(edited(situation, edits), provider)).toBe(false);
          }
        }
      }),
      runs,
    );
  });

  it("are said in words and as data", () => {
    fc.assert(
      fc.property(situations, (situation) => {
        for (const provider of new Set(situation.query.providers)) {
          const remedies = allows(situation, provider) ? [] : remediesOf(situation, provider);
          for (const edit of remedies.flatMap(({ alternatives }) => alternatives.flat())) {
            const [words, data] = told(edit);
            expect(words).toMatch(/\w/);
            expect(words).not.toContain("undefined");
            expect(Object.keys(data as object).length).toBeGreaterThan(0);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("the remedies of a request without a plan", () => {
  it("make it run", () => {
    let found = 0;
    fc.assert(
      fc.property(arbitraryWorld, (situation) => {
        const { planRemedies } = explain(situation);
        found += planRemedies.length;
        for (const edits of planRemedies) expect("chains" in explain(edited(situation, edits)).plan).toBe(true);
      }),
      { numRuns: 1_000 },
    );
    expect(found).toBeGreaterThan(100);
  });

  it("are found as a rule where the catalogue makes a chain: else only its operator can help", () => {
    let refused = 0;
    let remedied = 0;
    fc.assert(
      fc.property(arbitraryWorld, (world) => {
        fc.pre(world.knowledge.archetypes.length > 0);
        const query = { ...world.query, options: {} };
        const situation = { ...world, query, knowledge: composable(world.knowledge) };
        const { plan, planRemedies } = explain(situation);
        if (!("reasons" in plan) || decisionOf(situation).approvals.length === 0) return;
        refused += 1;
        remedied += planRemedies.length > 0 ? 1 : 0;
      }),
      { numRuns: 1_000 },
    );
    expect(refused).toBeGreaterThan(50);
    expect(remedied / refused).toBeGreaterThan(0.9);
  });
});

/** Steps that always make a chain, at home and through a third party. */
function composable(knowledge: Knowledge): Knowledge {
  return Knowledge.fromPartial({
    ...knowledge,
    agreements: knowledge.agreements.map((agreement) => ({ ...agreement, demandedSteps: {} })),
    requestTypes: [{ name: "ask", requiredSteps: ["read", "compute"] }],
    steps: [
      { name: "read", label: "dataProvider", allowedOutputs: ["compute"] },
      { name: "compute", label: "computeProvider" },
    ],
  } as Knowledge);
}
