import { describe, expect, it } from "vitest";
import { ErrorCode, type Knowledge, type Plan, type Query } from "#contracts";
import { changeRelation, setOnline, wageGapKnowledge, wageGapQuery } from "#testing/wage-gap-knowledge";
import { makePlan } from "./plan.ts";
import { evaluate } from "./policy.ts";

const both = ["UVA", "VU"];

function loaded(loads: Readonly<Record<string, number>>): Knowledge {
  const knowledge = wageGapKnowledge();
  for (const party of knowledge.parties) {
    const load = loads[party.name];
    if (load !== undefined) party.load = load;
  }
  return knowledge;
}

function planned(query: Query, knowledge: Knowledge) {
  const verdicts = query.providers.map((provider) => evaluate(query, provider, knowledge, 0));
  return makePlan(query, { verdicts, approvals: [] }, knowledge, 1);
}

function plan(query: Query, knowledge: Knowledge): Plan {
  const result = planned(query, knowledge);
  if ("reasons" in result) throw new Error(result.reasons.map(({ message }) => message).join("; "));
  return result;
}

function setWeight(knowledge: Knowledge, name: string, weight: number): void {
  for (const archetype of knowledge.archetypes) if (archetype.name === name) archetype.weight = weight;
}

/** The table in by-load.ts; a load of undefined is not known. */
describe("the thesis's table (A22)", () => {
  const home = "computeToData";
  const away = "dataThroughTtp";
  it.each([
    // Provider below 80 %, no aggregate.
    [0.79, 0.1, {}, home, "weight"],
    [0.79, 0.95, {}, home, "weight"],
    [0.1, 0.1, { aggregate: false }, home, "option"],
    [undefined, undefined, {}, home, "weight"],
    [undefined, 0.95, {}, home, "weight"],
    // Aggregate, third party below 80 %.
    [0.1, 0.79, { aggregate: true }, away, "option"],
    [0.95, 0.79, { aggregate: true }, away, "option"],
    [0.95, undefined, { aggregate: true }, away, "option"],
    // Aggregate, third party at or above 80 %.
    [0.1, 0.8, { aggregate: true }, home, "load"],
    [undefined, 0.95, { aggregate: true }, home, "load"],
    [0.95, 0.95, { aggregate: true }, home, "load"],
    // Provider at or above 80 %, third party below.
    [0.8, 0.79, {}, away, "load"],
    [0.8, undefined, {}, away, "load"],
    [0.95, 0.1, { aggregate: false }, away, "load"],
    // Both at or above 80 %.
    [0.8, 0.8, {}, home, "load"],
    [0.95, 0.95, { aggregate: false }, home, "load"],
  ])("provider %s, third party %s, %j: %s by %s", (provider, thirdParty, options, archetype, rule) => {
    const loads = { ...(provider && { UVA: provider }), ...(thirdParty && { SURF: thirdParty }) };
    for (const providers of [["UVA"], both]) {
      const byOption = rule === "option" && archetype === home && providers.length === 1 ? "weight" : rule;
      const [choice] = plan(wageGapQuery({ options, providers }), loaded(loads)).choices;
      expect({ archetype: choice?.archetype, rule: choice?.rule }).toEqual({ archetype, rule: byOption });
    }
  });

  it("holds whatever weighs less, when somebody is at 80 %", () => {
    const chosen = (loads: Readonly<Record<string, number>>) => {
      const knowledge = loaded(loads);
      setWeight(knowledge, "computeToData", 300);
      const [choice] = plan(wageGapQuery(), knowledge).choices;
      return `${choice?.archetype} by ${choice?.rule}`;
    };
    expect(chosen({ UVA: 0.1, SURF: 0.1 })).toBe("dataThroughTtp by weight");
    expect(chosen({ UVA: 0.9, SURF: 0.1 })).toBe("dataThroughTtp by weight");
    expect(chosen({ UVA: 0.1, SURF: 0.9 })).toBe("computeToData by load");
    expect(chosen({ UVA: 0.9, SURF: 0.9 })).toBe("computeToData by load");
  });
});

describe("load in a choice", () => {
  it("names the figures, and why the other archetype was not taken", () => {
    const [relieved] = plan(wageGapQuery(), loaded({ UVA: 0.3, VU: 0.925, SURF: 0.1 })).choices;
    expect(relieved?.why).toMatch(
      /^VU is at 92 % of its capacity, and SURF is at 10 % of its capacity: SURF computes, and UVA, VU allow dataThroughTtp/,
    );
    expect(relieved?.considered).toContainEqual({
      archetype: "computeToData",
      reason: "VU is at 92 % of its capacity",
    });
    const [spared] = plan(wageGapQuery({ options: { aggregate: true } }), loaded({ SURF: 0.85 })).choices;
    expect(spared?.why).toBe(
      "the load of UVA is not known, and SURF is at 85 % of its capacity: SURF is spared, and UVA, VU allow computeToData",
    );
    expect(spared?.considered).toContainEqual({
      archetype: "dataThroughTtp",
      reason: "SURF is at 85 % of its capacity",
    });
  });

  it("is what the highest of several providers has", () => {
    expect(plan(wageGapQuery(), loaded({ UVA: 0.1, VU: 0.8 })).choices).toMatchObject([{ rule: "load" }]);
    expect(plan(wageGapQuery({ providers: ["UVA"] }), loaded({ UVA: 0.1, VU: 0.8 })).choices).toMatchObject([
      { rule: "weight" },
    ]);
  });

  it("never goes over an agreement, nor to who is not there", () => {
    const onlyHome = loaded({ UVA: 1, SURF: 0 });
    changeRelation(onlyHome, "UVA", { allowedArchetypes: ["computeToData"] });
    expect(plan(wageGapQuery(), onlyHome).choices).toMatchObject([{ archetype: "computeToData", rule: "weight" }]);

    const onlyAway = loaded({ SURF: 1 });
    changeRelation(onlyAway, "VU", { allowedArchetypes: ["dataThroughTtp"] });
    expect(plan(wageGapQuery(), onlyAway).choices).toMatchObject([{ archetype: "dataThroughTtp" }]);

    const gone = loaded({ UVA: 1, SURF: 0 });
    setOnline(gone, "SURF", false);
    expect(plan(wageGapQuery(), gone).choices).toMatchObject([{ archetype: "computeToData", rule: "weight" }]);

    const refusing = loaded({ SURF: 1 });
    changeRelation(refusing, "UVA", { allowedArchetypes: ["computeToData"] });
    expect(planned(wageGapQuery({ options: { aggregate: true } }), refusing)).toMatchObject({
      reasons: [{ code: ErrorCode.NO_COMMON_ARCHETYPE, message: "UVA does not allow dataThroughTtp" }],
    });
  });

  it("takes the third party with room, where several are allowed", () => {
    const among = (loads: Readonly<Record<string, number>>) => {
      const knowledge = loaded(loads);
      for (const steward of both) {
        changeRelation(knowledge, steward, { allowedComputeProviders: ["SURF", "otherCompany"] });
      }
      const [choice] = plan(wageGapQuery({ options: { aggregate: true } }), knowledge).choices;
      return choice;
    };
    expect(among({})).toMatchObject({ computeProvider: "SURF", rule: "option" });
    expect(among({ SURF: 0.9 })).toMatchObject({
      computeProvider: "otherCompany",
      rule: "option",
      considered: expect.arrayContaining([{ archetype: "dataThroughTtp", reason: "SURF is at 90 % of its capacity" }]),
    });
    expect(among({ SURF: 0.9, otherCompany: 0.9 })).toMatchObject({ archetype: "computeToData", rule: "load" });
  });

  it("is kept in the plan, of those whom it can concern", () => {
    const result = plan(wageGapQuery({ providers: ["UVA"] }), loaded({ exchange: 1, VU: 0.3, UVA: 0.2, SURF: 0.1 }));
    expect(result.loads).toEqual([
      { party: "SURF", load: 0.1 },
      { party: "UVA", load: 0.2 },
    ]);
  });
});
