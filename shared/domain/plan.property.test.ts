import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Chain, Knowledge, type Plan, type Query, type Refusal, Role } from "#contracts";
import { arbitraryLoadedWorld, arbitraryWorld, type World } from "#testing/arbitrary-world";
import { makePlan } from "./plan.ts";
import { approvalsOf, evaluate } from "./policy.ts";

const runs = { numRuns: 2_000 };

function planOf({ knowledge, query, nowMs }: World, reorder = <T>(list: readonly T[]) => [...list]): Plan | Refusal {
  const verdicts = reorder([...new Set(query.providers)]).map((name) => evaluate(query, name, knowledge, nowMs));
  return makePlan(query, { verdicts, approvals: approvalsOf(query, verdicts, 0) }, knowledge, 1);
}

const isPlan = (result: Plan | Refusal): result is Plan => "chains" in result;
const isProviderChain = ({ role }: Chain) => role !== Role.COMPUTE_PROVIDER;

/** What a steward's lawyer would find wrong with a provider's part in a plan. Written from the agreement alone. */
function violations(provider: string, plan: Plan, { knowledge, query, nowMs }: World): string[] {
  const agreement = knowledge.agreements.find(({ name }) => name === provider);
  const relation = agreement?.relations[query.user?.name ?? ""];
  const chain = plan.chains.find((one) => isProviderChain(one) && one.party === provider);
  if (agreement === undefined || relation === undefined || chain === undefined) {
    return [`${provider} takes part without an agreement`];
  }
  const found: string[] = [];
  const demand = (holds: boolean, what: string) => holds || found.push(`${provider}: ${what}`);
  const gather = plan.chains.find(({ id }) => id === chain.gatherAt);
  const archetype = knowledge.archetypes.find(({ name }) => name === chain.archetype);
  const verdict = plan.verdicts.find((one) => one.provider === provider)?.decision;
  const opened = verdict?.$case === "terms" ? verdict.value.dataSets : [];
  const algorithm = query.algorithm?.name ? query.algorithm.name : "rows";

  demand(relation.requestTypes.includes(query.requestType), "request type");
  demand(opened.length > 0 && opened.every((name) => relation.dataSets.includes(name)), "data sets");
  demand(
    query.dataSets.every((name) => opened.includes(name)),
    "data sets asked",
  );
  demand(relation.allowedAlgorithms?.names.includes(algorithm) ?? true, "algorithm");
  demand((relation.validFromMs ?? nowMs) <= nowMs && nowMs < (relation.validUntilMs ?? nowMs + 1), "dates");
  demand(agreement.archetypes.includes(chain.archetype), "archetype of the agreement");
  demand(relation.allowedArchetypes.includes(chain.archetype), "archetype of the relation");
  demand((archetype?.computeProvider === "dataProvider") === (chain.role === Role.ALL), "where the archetype computes");
  demand((chain.role === Role.ALL) === (gather === undefined), "where the table goes");
  if (gather !== undefined) {
    demand(agreement.computeProviders.includes(gather.party), "compute provider of the agreement");
    demand(relation.allowedComputeProviders.includes(gather.party), "compute provider of the relation");
    demand(gather.archetype === chain.archetype, "archetype of the gather");
    demand(gather.providers.includes(provider), "part of the gather");
  }
  const { purposes, queriesPerPeriod, resultRecipients } = relation;
  const used = knowledge.usage.find((usage) => usage.provider === provider)?.queries;
  demand(purposes === undefined || purposes.names.includes(query.purpose), "purpose");
  demand(queriesPerPeriod === undefined || (used !== undefined && used < queriesPerPeriod.max), "queries per period");
  const recipient = archetype?.resultRecipient ?? "";
  demand(resultRecipients === undefined || resultRecipients.names.includes(recipient), "recipient of the result");
  const run = [...chain.steps, ...(gather?.steps ?? [])];
  const demanded = agreement.demandedSteps[query.requestType]?.names ?? [];
  demand(
    demanded.every((step) => run.includes(step)),
    "demanded steps",
  );
  demand(["", "GUID", query.user?.id].includes(relation.id) || query.user?.id === "", "user id");
  return found;
}

/** What the catalogue would find wrong with a chain. */
function malformations(chain: Chain, plan: Plan, { steps, parties }: Knowledge): string[] {
  const stepOf = (name: string | undefined) => steps.find((step) => step.name === name);
  const gather = plan.chains.find(({ id }) => id === chain.gatherAt);
  const path = [...chain.steps, ...(gather?.steps.slice(0, 1) ?? [])];
  const label = { [Role.DATA_PROVIDER]: "dataProvider", [Role.COMPUTE_PROVIDER]: "computeProvider" }[
    chain.role as 2 | 3
  ];
  const gathers = chain.role === Role.COMPUTE_PROVIDER;
  return [
    ...(chain.steps.length === 0 ? ["empty"] : []),
    ...(parties.some(({ name, online }) => name === chain.party && online) ? [] : ["offline"]),
    ...(gathers && !parties.some(({ name, roles }) => name === chain.party && roles.includes("computeProvider"))
      ? ["gathered by no compute provider"]
      : []),
    ...(new Set(plan.chains.filter(({ gatherAt }) => gatherAt === chain.id).map((feeder) => `${feeder.steps}`)).size > 1
      ? ["unites what was not treated alike"]
      : []),
    ...(gathers || !steps.some(({ allowedOutputs }) => allowedOutputs.includes(chain.steps[0] ?? ""))
      ? []
      : ["begins with another's rows"]),
    ...chain.steps.filter((name) => label !== undefined && stepOf(name)?.label !== label),
    ...chain.steps.filter((name) => stepOf(name)?.invalidArchetypes.includes(chain.archetype)),
    ...path.slice(1).filter((name, index) => !stepOf(path[index])?.allowedOutputs.includes(name)),
    ...(new Set(path).size === path.length ? [] : ["a step twice"]),
  ];
}

/** The same things in another order; `seed` chooses which. */
function shuffled<T>(list: readonly T[], seed: number): T[] {
  return list
    .map((item, index) => ({ item, key: ((index + 1) * 2_654_435_761 + seed * 40_503) % 1_000_003 }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

function reordered({ knowledge, query, nowMs }: World, seed: number): World {
  const mix = <T>(list: readonly T[]) => shuffled(list, seed);
  const mixKeys = <T>(map: Record<string, T>) => Object.fromEntries(mix(Object.entries(map)));
  return {
    nowMs,
    query: {
      ...query,
      providers: mix(query.providers),
      dataSets: mix(query.dataSets),
      options: mixKeys(query.options),
    },
    knowledge: {
      agreements: mix(knowledge.agreements).map((agreement) => ({
        ...agreement,
        archetypes: mix(agreement.archetypes),
        computeProviders: mix(agreement.computeProviders),
        demandedSteps: mixKeys(agreement.demandedSteps),
        relations: mixKeys(
          Object.fromEntries(
            Object.entries(agreement.relations).map(([name, relation]) => [
              name,
              {
                ...relation,
                requestTypes: mix(relation.requestTypes),
                dataSets: mix(relation.dataSets),
                allowedArchetypes: mix(relation.allowedArchetypes),
                allowedComputeProviders: mix(relation.allowedComputeProviders),
                rowFilters: mix(relation.rowFilters),
              },
            ]),
          ),
        ),
      })),
      parties: mix(knowledge.parties),
      archetypes: mix(knowledge.archetypes),
      requestTypes: mix(knowledge.requestTypes).map((type) => ({
        ...type,
        requiredSteps: mix(type.requiredSteps),
        optionalSteps: mixKeys(type.optionalSteps),
      })),
      steps: mix(knowledge.steps).map((step) => ({ ...step, allowedOutputs: mix(step.allowedOutputs) })),
      dataSets: mix(knowledge.dataSets),
      usage: mix(knowledge.usage),
    },
  };
}

const asked = (query: Query) => [...new Set(query.providers)].sort();

it("meets worlds of every kind, or the properties below would say little", () => {
  const results = fc.sample(arbitraryWorld, { numRuns: 2_000, seed: 1 }).map((world) => planOf(world));
  const count = (holds: (plan: Plan) => boolean) => results.filter((result) => isPlan(result) && holds(result)).length;
  const by = (rule: string) => count(({ choices }) => choices[0]?.rule === rule);
  expect({
    option: by("option") > 100,
    weight: by("weight") > 100,
    split: by("split") > 30,
    severalChoices: count(({ choices }) => choices.length > 1) > 20,
    gatheredOfSeveral: count(({ chains }) => chains.some(({ providers }) => providers.length > 1)) > 20,
    refused: results.length - count(() => true) > 100,
  }).toEqual({
    option: true,
    weight: true,
    split: true,
    severalChoices: true,
    gatheredOfSeveral: true,
    refused: true,
  });
});

it("meets worlds in which load decides", () => {
  const results = fc.sample(arbitraryLoadedWorld, { numRuns: 2_000, seed: 1 }).map((world) => planOf(world));
  const byLoad = results.filter(isPlan).filter(({ choices }) => choices[0]?.rule === "load");
  const atHome = byLoad.filter(({ chains }) => chains.every(({ role }) => role === Role.ALL));
  expect({ atHome: atHome.length > 10, away: byLoad.length - atHome.length > 10 }).toEqual({
    atHome: true,
    away: true,
  });
});

describe("any plan", () => {
  it("keeps to every agreement of everybody who takes part", () => {
    fc.assert(
      fc.property(arbitraryLoadedWorld, (world) => {
        const result = planOf(world);
        const parts = isPlan(result) ? result.chains.filter(isProviderChain).map(({ party }) => party) : [];
        expect(parts.flatMap((provider) => violations(provider, result as Plan, world))).toEqual([]);
      }),
      runs,
    );
  });

  it("runs only connected chains of valid steps at parties that are online", () => {
    fc.assert(
      fc.property(arbitraryLoadedWorld, (world) => {
        const result = planOf(world);
        const chains = isPlan(result) ? result.chains : [];
        expect(chains.flatMap((chain) => malformations(chain, result as Plan, world.knowledge))).toEqual([]);
      }),
      runs,
    );
  });

  it("has every provider asked in one chain or refused with a reason, exactly once", () => {
    fc.assert(
      fc.property(arbitraryLoadedWorld, (world) => {
        const result = planOf(world);
        if (!isPlan(result)) {
          expect(result.reasons.length).toBeGreaterThan(0);
          return;
        }
        const running = result.chains.filter(isProviderChain).map(({ party }) => party);
        const refused = result.verdicts.flatMap(({ provider, decision }) =>
          decision?.$case === "refusal" && decision.value.reasons.length > 0 ? [provider] : [],
        );
        expect([...running, ...refused].sort()).toEqual(asked(world.query));
        expect(result.choices.flatMap(({ providers }) => providers).sort()).toEqual([...running].sort());
        expect(result.verdicts.map(({ provider }) => provider)).toEqual(asked(world.query));
      }),
      runs,
    );
  });

  it("gathers each table once, at a chain with an id of its own", () => {
    fc.assert(
      fc.property(arbitraryLoadedWorld, (world) => {
        const result = planOf(world);
        const chains = isPlan(result) ? result.chains : [];
        expect(new Set(chains.map(({ id }) => id)).size).toBe(chains.length);
        for (const gather of chains.filter((chain) => !isProviderChain(chain))) {
          const feeding = chains.filter(({ gatherAt }) => gatherAt === gather.id).map(({ party }) => party);
          expect(gather.providers).toEqual(feeding);
        }
      }),
      runs,
    );
  });

  it("does what the options demand unless that is too much for somebody, or refuses", () => {
    fc.assert(
      fc.property(arbitraryLoadedWorld, (world) => {
        const result = planOf(world);
        const { aggregate, split } = world.query.options;
        if (isPlan(result) && split === false) {
          expect(result.choices).toHaveLength(1);
        }
        if (isPlan(result) && aggregate === true && split !== true && result.choices[0]?.rule !== "load") {
          expect(result.chains.every(({ role }) => role !== Role.ALL)).toBe(true);
        }
      }),
      runs,
    );
  });

  it("is that of parties without a load when nobody is at 80 %", () => {
    fc.assert(
      fc.property(arbitraryLoadedWorld, (world) => {
        const low = (load: number | undefined) => (load === undefined ? {} : { load: load * 0.79 });
        const parties = world.knowledge.parties.map(({ load, ...party }) => ({ ...party, ...low(load) }));
        const unknown = world.knowledge.parties.map(({ load: _, ...party }) => party);
        const under = (all: Knowledge["parties"]) =>
          planOf({ ...world, knowledge: { ...world.knowledge, parties: all } });
        expect({ ...under(parties), loads: [] }).toEqual({ ...under(unknown), loads: [] });
      }),
      runs,
    );
  });

  it("has by load what could run, and what the agreements allowed, without it", () => {
    fc.assert(
      fc.property(arbitraryLoadedWorld, (world) => {
        const result = planOf(world);
        if (!isPlan(result) || result.choices[0]?.rule !== "load") return;
        const [choice] = result.choices;
        const only = world.knowledge.archetypes.filter(({ name }) => name === choice?.archetype);
        const parties = world.knowledge.parties.map(({ load: _, ...party }) => party);
        const { aggregate: _, ...options } = world.query.options;
        const alone = planOf({
          ...world,
          query: { ...world.query, options },
          knowledge: { ...world.knowledge, parties, archetypes: only },
        });
        expect(alone).toMatchObject({ choices: [{ archetype: choice?.archetype, providers: choice?.providers }] });
      }),
      runs,
    );
  });

  it("is the same whatever the order of what it was made from", () => {
    fc.assert(
      fc.property(arbitraryLoadedWorld, fc.nat(1_000_000), (world, seed) => {
        expect(planOf(reordered(world, seed), (list) => shuffled(list, seed + 1))).toEqual(planOf(world));
      }),
      runs,
    );
  });

  it("leaves what it was made from untouched", () => {
    fc.assert(
      fc.property(arbitraryLoadedWorld, (world) => {
        const before = structuredClone(world);
        planOf(world);
        expect(world).toEqual(before);
      }),
      { numRuns: 300 },
    );
  });
});

describe("any refusal", () => {
  it("is right: nobody who allows computing at home, is online and needs no more is turned away", () => {
    fc.assert(
      fc.property(arbitraryWorld, (world) => {
        // Alone, a provider has no one to agree with: what it allows and can run must run.
        for (const provider of asked(world.query)) {
          const alone = { ...world, query: { ...world.query, providers: [provider], options: {} } };
          const simple: World = { ...alone, knowledge: simplified(world.knowledge) };
          const verdict = evaluate(simple.query, provider, simple.knowledge, simple.nowMs).decision;
          const online = simple.knowledge.parties.some(({ name, online: up }) => name === provider && up);
          const home = simple.knowledge.archetypes.filter(({ computeProvider }) => computeProvider === "dataProvider");
          const may = verdict?.$case === "terms" && home.some(({ name }) => verdict.value.archetypes.includes(name));
          if (may && online && simple.query.requestType === "ask") {
            expect(isPlan(planOf(simple))).toBe(true);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** Two steps that always make a chain, and no demands: what is left to say no is policy and presence. */
function simplified(knowledge: Knowledge): Knowledge {
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
