import { describe, expect, it } from "vitest";
import {
  type Decision,
  Envelope,
  ErrorCode,
  type Knowledge,
  type Plan,
  type Query,
  type Refusal,
  Role,
} from "#contracts";
import { changeRelation, setOnline, wageGapKnowledge, wageGapQuery } from "#testing/wage-gap-knowledge";
import { firstEnvelopes } from "./first-envelopes.ts";
import { makePlan } from "./plan.ts";
import { approvalsOf, evaluate } from "./policy.ts";

const setWeight = (knowledge: Knowledge, name: string, weight: number) =>
  Object.assign(knowledge.archetypes.find((archetype) => archetype.name === name) ?? {}, { weight });

function decide(query: Query, knowledge: Knowledge): Decision {
  const verdicts = query.providers.map((provider) => evaluate(query, provider, knowledge, 0));
  return { verdicts, approvals: approvalsOf(query, verdicts, 0) };
}

function planOrRefusal(query: Query, knowledge: Knowledge): Plan | Refusal {
  return makePlan(query, decide(query, knowledge), knowledge, 1);
}

function plan(query: Query, knowledge: Knowledge): Plan {
  const result = planOrRefusal(query, knowledge);
  if ("reasons" in result) {
    throw new Error(`refused: ${result.reasons.map(({ message }) => message).join("; ")}`);
  }
  return result;
}

function reasons(query: Query, knowledge: Knowledge) {
  const result = planOrRefusal(query, knowledge);
  return "reasons" in result ? result.reasons : [];
}

const chainsOf = ({ chains }: Plan) =>
  chains.map(
    ({ id, party, steps, gatherAt }) => `${id} at ${party}: ${steps.join(" ")}${gatherAt && ` > ${gatherAt}`}`,
  );

const choicesOf = ({ choices }: Plan) =>
  choices.map(
    ({ archetype, computeProvider, providers, rule }) =>
      `${rule}: ${archetype}@${computeProvider} ${providers.join("+")}`,
  );

const refusedBy = ({ verdicts }: Plan) =>
  Object.fromEntries(
    verdicts.flatMap(({ provider, decision }) =>
      decision?.$case === "refusal" ? [[provider, decision.value.reasons[0]?.code]] : [],
    ),
  );

describe("the original's consequence table", () => {
  const both = ["UVA", "VU"];
  it.each([
    ["no options", {}, both, 100, "computeToData", "weight"],
    ["no options, one provider", {}, ["VU"], 100, "computeToData", "weight"],
    ["aggregate false", { aggregate: false }, both, 100, "computeToData", "option"],
    ["aggregate false, one provider", { aggregate: false }, ["VU"], 100, "computeToData", "weight"],
    ["aggregate true", { aggregate: true }, both, 100, "dataThroughTtp", "option"],
    ["aggregate true, one provider", { aggregate: true }, ["VU"], 100, "dataThroughTtp", "option"],
    ["weight 300, aggregate false, one provider", { aggregate: false }, ["VU"], 300, "dataThroughTtp", "weight"],
    ["weight 300, aggregate false", { aggregate: false }, both, 300, "computeToData", "option"],
    ["weight 300 (A11)", {}, both, 300, "dataThroughTtp", "weight"],
  ])("%s", (_, options, providers, weight, archetype, rule) => {
    const knowledge = wageGapKnowledge();
    setWeight(knowledge, "computeToData", weight);
    expect(plan(wageGapQuery({ options, providers }), knowledge).choices).toMatchObject([{ archetype, rule }]);
  });

  it("refuses aggregate where one steward allows only computeToData; the original silently runs that instead (W7)", () => {
    const knowledge = wageGapKnowledge();
    changeRelation(knowledge, "UVA", { allowedArchetypes: ["computeToData"] });
    expect(reasons(wageGapQuery({ options: { aggregate: true } }), knowledge)).toEqual([
      { code: ErrorCode.NO_COMMON_ARCHETYPE, clause: "", message: "UVA does not allow dataThroughTtp" },
    ]);
  });
});

describe("makePlan", () => {
  it("computes at home at each provider and refuses RUG by name (A1, A3)", () => {
    const result = plan(wageGapQuery({ providers: ["VU", "UVA", "RUG"] }), wageGapKnowledge());
    expect(chainsOf(result)).toEqual([
      "UVA at UVA: sql-query sql-anonymize sql-algorithm",
      "VU at VU: sql-query sql-algorithm",
    ]);
    expect(result.chains.every(({ role }) => role === Role.ALL)).toBe(true);
    expect(refusedBy(result)).toEqual({ RUG: ErrorCode.DENIED });
  });

  it("gathers at SURF where the agreements allow only that (A2)", () => {
    const knowledge = wageGapKnowledge();
    for (const steward of ["UVA", "VU"]) {
      changeRelation(knowledge, steward, { allowedArchetypes: ["dataThroughTtp"] });
    }
    const result = plan(wageGapQuery(), knowledge);
    expect(chainsOf(result)).toEqual([
      "UVA at UVA: sql-query sql-anonymize > gather-SURF",
      "VU at VU: sql-query sql-anonymize > gather-SURF",
      "gather-SURF at SURF: sql-aggregate sql-algorithm",
    ]);
    expect(result.chains[2]).toMatchObject({ role: Role.COMPUTE_PROVIDER, providers: ["UVA", "VU"] });
  });

  it("does what one steward demands at all who feed a union, says so, and at nobody else", () => {
    const asked = { aggregate: true };
    const steps = (result: Plan) => result.chains.slice(0, 2).map((chain) => chain.steps.join(" "));
    const united = plan(wageGapQuery({ options: asked }), wageGapKnowledge());
    expect(steps(united)).toEqual(["sql-query sql-anonymize", "sql-query sql-anonymize"]);
    expect(united.choices[0]?.why).toBe(
      "the request asks to compute at a third party, SURF, and UVA, VU allow dataThroughTtp; " +
        "sql-anonymize runs at VU too, as UVA demands it of what is united",
    );
    const wanted = plan(wageGapQuery({ options: { ...asked, anonymize: true } }), wageGapKnowledge());
    expect(steps(wanted)).toEqual(steps(united));
    expect(wanted.choices[0]?.why).not.toContain("demands");
    const apart = plan(wageGapQuery(), wageGapKnowledge());
    expect(steps(apart)).toEqual(["sql-query sql-anonymize sql-algorithm", "sql-query sql-algorithm"]);
  });

  it("goes through the third party for the one request that says aggregate (A5)", () => {
    const knowledge = wageGapKnowledge();
    expect(choicesOf(plan(wageGapQuery({ options: { aggregate: true } }), knowledge))).toEqual([
      "option: dataThroughTtp@SURF UVA+VU",
    ]);
    expect(choicesOf(plan(wageGapQuery(), knowledge))).toEqual(["weight: computeToData@ UVA+VU"]);
  });

  it("splits by steward where VU computes at home and UVA only through SURF (A6, A21)", () => {
    const knowledge = wageGapKnowledge();
    changeRelation(knowledge, "VU", { allowedArchetypes: ["computeToData"] });
    changeRelation(knowledge, "UVA", { allowedArchetypes: ["dataThroughTtp"] });
    const result = plan(wageGapQuery(), knowledge);
    expect(chainsOf(result)).toEqual([
      "UVA at UVA: sql-query sql-anonymize > gather-SURF",
      "VU at VU: sql-query sql-algorithm",
      "gather-SURF at SURF: sql-aggregate sql-algorithm",
    ]);
    expect(choicesOf(result)).toEqual(["split: dataThroughTtp@SURF UVA", "split: computeToData@ VU"]);
    expect(result.choices[0]?.why).toContain("UVA does not allow computeToData");
  });

  it.each([
    [{ split: false } as Query["options"], "refused"],
    [{ split: true }, "split"],
    [{ aggregate: true }, "refused"],
    [{ aggregate: true, split: true }, "split"],
    [{ aggregate: false }, "split"],
  ])("with options %j and no common archetype: %s", (options, expected) => {
    const knowledge = wageGapKnowledge();
    changeRelation(knowledge, "VU", { allowedArchetypes: ["computeToData"] });
    changeRelation(knowledge, "UVA", { allowedArchetypes: ["dataThroughTtp"] });
    const result = planOrRefusal(wageGapQuery({ options }), knowledge);
    expect("reasons" in result ? "refused" : result.choices[0]?.rule).toBe(expected);
  });

  it("prefers a third party for each steward when aggregate and split are asked together", () => {
    const knowledge = wageGapKnowledge();
    changeRelation(knowledge, "VU", { allowedArchetypes: ["computeToData"] });
    expect(choicesOf(plan(wageGapQuery({ options: { aggregate: true, split: true } }), knowledge))).toEqual([
      "split: dataThroughTtp@SURF UVA",
      "split: computeToData@ VU",
    ]);
  });

  it("takes the next third party by name when one is offline", () => {
    const knowledge = wageGapKnowledge();
    for (const steward of ["UVA", "VU"]) {
      changeRelation(knowledge, steward, { allowedComputeProviders: ["otherCompany", "SURF"] });
    }
    const query = wageGapQuery({ options: { aggregate: true } });
    expect(plan(query, knowledge).choices[0]?.computeProvider).toBe("SURF");
    setOnline(knowledge, "SURF", false);
    expect(plan(query, knowledge).choices[0]?.computeProvider).toBe("otherCompany");
  });

  it("says that the third party is offline when nothing else is in the way", () => {
    const knowledge = wageGapKnowledge();
    setOnline(knowledge, "SURF", false);
    expect(reasons(wageGapQuery({ options: { aggregate: true } }), knowledge)).toEqual([
      {
        code: ErrorCode.COMPUTE_PROVIDER_OFFLINE,
        clause: "",
        message: "dataThroughTtp needs a compute provider, and none is online of SURF",
      },
    ]);
  });

  it("runs the steward who can and refuses the one whose only third party is offline", () => {
    const knowledge = wageGapKnowledge();
    changeRelation(knowledge, "UVA", { allowedArchetypes: ["dataThroughTtp"] });
    setOnline(knowledge, "SURF", false);
    const result = plan(wageGapQuery(), knowledge);
    expect(chainsOf(result)).toEqual(["VU at VU: sql-query sql-algorithm"]);
    expect(refusedBy(result)).toEqual({ UVA: ErrorCode.COMPUTE_PROVIDER_OFFLINE });
  });

  it("groups at different third parties when the stewards have none in common", () => {
    const knowledge = wageGapKnowledge();
    for (const [steward, trusted] of [
      ["UVA", "SURF"],
      ["VU", "otherCompany"],
    ] as const) {
      changeRelation(knowledge, steward, { allowedArchetypes: ["dataThroughTtp"], allowedComputeProviders: [trusted] });
    }
    expect(choicesOf(plan(wageGapQuery(), knowledge))).toEqual([
      "split: dataThroughTtp@SURF UVA",
      "split: dataThroughTtp@otherCompany VU",
    ]);
    const messages = reasons(wageGapQuery({ options: { split: false } }), knowledge).map(({ message }) => message);
    expect(messages).toContain(
      "dataThroughTtp needs one compute provider that all allow: UVA allows SURF; VU allows otherCompany",
    );
  });

  it("splits into as few groups as it can: the third party that most stewards trust comes first", () => {
    const knowledge = wageGapKnowledge();
    const trusted = { HVA: ["SURF"], UVA: ["SURF", "otherCompany"], VU: ["otherCompany"], VUMC: ["otherCompany"] };
    const [agreement, dataSet] = [knowledge.agreements[0], knowledge.dataSets[0]];
    for (const name of ["HVA", "VUMC"]) {
      knowledge.agreements.push({ ...structuredClone(agreement ?? expect.fail("no agreement to copy")), name });
      knowledge.dataSets.push({ ...(dataSet ?? expect.fail("no data set to copy")), party: name });
      knowledge.parties.push({ name, roles: ["dataProvider"], online: true });
    }
    for (const [name, allowedComputeProviders] of Object.entries(trusted)) {
      changeRelation(knowledge, name, { allowedArchetypes: ["dataThroughTtp"], allowedComputeProviders });
    }
    expect(choicesOf(plan(wageGapQuery({ providers: Object.keys(trusted) }), knowledge))).toEqual([
      "split: dataThroughTtp@SURF HVA",
      "split: dataThroughTtp@otherCompany UVA+VU+VUMC",
    ]);
  });

  it("gives each gathering chain its own id when one party gathers for two archetypes", () => {
    const knowledge = wageGapKnowledge();
    knowledge.archetypes.push({ name: "other", computeProvider: "other", resultRecipient: "", weight: 150 });
    knowledge.agreements[0]?.archetypes.push("other");
    changeRelation(knowledge, "UVA", { allowedArchetypes: ["other"] });
    changeRelation(knowledge, "VU", { allowedArchetypes: ["dataThroughTtp"] });
    const ids = plan(wageGapQuery(), knowledge).chains.map(({ id, gatherAt }) => [id, gatherAt]);
    expect(ids).toEqual([
      ["UVA", "gather-SURF"],
      ["VU", "gather-SURF-2"],
      ["gather-SURF", ""],
      ["gather-SURF-2", ""],
    ]);
  });

  it("keeps apart stewards whose demands at the third party do not make one chain", () => {
    const knowledge = wageGapKnowledge();
    const extra = { label: "computeProvider", allowedOutputs: ["sql-algorithm"], invalidArchetypes: [] };
    knowledge.steps.push({ ...extra, name: "left" }, { ...extra, name: "right" });
    knowledge.steps.find(({ name }) => name === "sql-aggregate")?.allowedOutputs.push("left", "right");
    for (const [index, step] of ["left", "right"].entries()) {
      const agreement = knowledge.agreements[index];
      Object.assign(agreement ?? {}, { demandedSteps: { sqlDataRequest: { names: [step] } } });
      changeRelation(knowledge, agreement?.name ?? "", { allowedArchetypes: ["dataThroughTtp"] });
    }
    expect(chainsOf(plan(wageGapQuery(), knowledge)).slice(2)).toEqual([
      "gather-SURF at SURF: sql-aggregate left sql-algorithm",
      "gather-SURF-2 at SURF: sql-aggregate right sql-algorithm",
    ]);
  });

  it("puts a steward's demand of a third party's step into the shared chain there", () => {
    const knowledge = wageGapKnowledge();
    Object.assign(knowledge.agreements[1] ?? {}, { demandedSteps: { sqlDataRequest: { names: ["sql-graph"] } } });
    expect(chainsOf(plan(wageGapQuery({ options: { aggregate: true } }), knowledge))[2]).toBe(
      "gather-SURF at SURF: sql-aggregate sql-algorithm sql-graph",
    );
  });

  it("passes over an archetype in which a needed step is invalid, and says why", () => {
    const knowledge = wageGapKnowledge();
    Object.assign(knowledge.agreements[0] ?? {}, { demandedSteps: { sqlDataRequest: { names: ["sql-aggregate"] } } });
    const [choice] = plan(wageGapQuery(), knowledge).choices;
    expect(choice?.archetype).toBe("dataThroughTtp");
    expect(choice?.considered[0]).toEqual({
      archetype: "computeToData",
      reason: "sql-aggregate is needed but invalid in computeToData (at UVA)",
    });
  });

  it("ignores an archetype without a definition and says so; the original runs it as if at home", () => {
    const knowledge = wageGapKnowledge();
    changeRelation(knowledge, "UVA", { allowedArchetypes: ["reproducableScience", "dataThroughTtp"] });
    const [choice] = plan(wageGapQuery(), knowledge).choices;
    expect(choice?.archetype).toBe("dataThroughTtp");
    expect(choice?.considered).toContainEqual({
      archetype: "reproducableScience",
      reason: "is named in an agreement but not defined",
    });
  });

  it("gives every archetype that was not chosen a reason", () => {
    const [choice] = plan(wageGapQuery(), wageGapKnowledge()).choices;
    expect(choice?.considered).toEqual([
      { archetype: "dataThroughTtp", reason: "weighs more than computeToData (200, 100)" },
    ]);
    const [asked] = plan(wageGapQuery({ options: { aggregate: true } }), wageGapKnowledge()).choices;
    expect(asked?.considered).toEqual([
      { archetype: "computeToData", reason: "is not where the request asks to compute" },
    ]);
  });

  it("refuses an offline provider by name and runs the others", () => {
    const knowledge = wageGapKnowledge();
    setOnline(knowledge, "VU", false);
    const result = plan(wageGapQuery(), knowledge);
    expect(result.chains.map(({ party }) => party)).toEqual(["UVA"]);
    expect(refusedBy(result)).toEqual({ VU: ErrorCode.PROVIDER_OFFLINE });
  });

  it("refuses as a whole when everybody is offline, each by name", () => {
    const knowledge = wageGapKnowledge();
    setOnline(knowledge, "VU", false);
    setOnline(knowledge, "UVA", false);
    expect(reasons(wageGapQuery(), knowledge)).toEqual([
      { code: ErrorCode.PROVIDER_OFFLINE, clause: "UVA", message: "UVA is offline" },
      { code: ErrorCode.PROVIDER_OFFLINE, clause: "VU", message: "VU is offline" },
    ]);
  });

  it("names an unknown provider and still asks the known one (A13)", () => {
    const result = plan(wageGapQuery({ providers: ["Atlantis", "VU"] }), wageGapKnowledge());
    expect(refusedBy(result)).toEqual({ Atlantis: ErrorCode.UNKNOWN_PROVIDER });
    expect(result.chains.map(({ party }) => party)).toEqual(["VU"]);
  });

  it("refuses a provider on whom policy says nothing", () => {
    const decision = decide(wageGapQuery({ providers: ["VU"] }), wageGapKnowledge());
    const result = makePlan(wageGapQuery(), decision, wageGapKnowledge(), 1);
    expect("chains" in result && refusedBy(result)).toEqual({ UVA: ErrorCode.DENIED });
  });

  it("counts a provider who is asked twice once", () => {
    const result = plan(wageGapQuery({ providers: ["VU", "VU", "UVA", "VU"] }), wageGapKnowledge());
    expect(result.verdicts.map(({ provider }) => provider)).toEqual(["UVA", "VU"]);
    expect(result.chains).toHaveLength(2);
  });

  it("refuses a request type that an agreement allows but nobody has defined", () => {
    const knowledge = wageGapKnowledge();
    knowledge.requestTypes = [];
    expect(reasons(wageGapQuery(), knowledge)).toMatchObject([
      { code: ErrorCode.INVALID_REQUEST, message: "there is no request type named sqlDataRequest" },
    ]);
  });

  it("names an option that nobody knows, and those that there are", () => {
    const options = { anonymise: true, Graph: true };
    expect(reasons(wageGapQuery({ options }), wageGapKnowledge())).toEqual([
      {
        code: ErrorCode.INVALID_REQUEST,
        clause: "",
        message: "there is no option anonymise; sqlDataRequest has aggregate, anonymize, graph, split",
      },
    ]);
  });

  it("never gathers at a party that is no compute provider, and says why", () => {
    const knowledge = wageGapKnowledge();
    knowledge.parties.push({ name: "RUG", roles: ["dataProvider"], online: true });
    for (const agreement of knowledge.agreements) agreement.computeProviders.push("RUG");
    const allow = (allowedComputeProviders: string[]) => {
      for (const steward of ["UVA", "VU"]) changeRelation(knowledge, steward, { allowedComputeProviders });
    };
    const query = wageGapQuery({ options: { aggregate: true } });
    allow(["RUG", "SURF"]);
    const [choice] = plan(query, knowledge).choices;
    expect(choice).toMatchObject({ archetype: "dataThroughTtp", computeProvider: "SURF" });
    expect(choice?.considered).toContainEqual({
      archetype: "dataThroughTtp",
      reason: "RUG is allowed to compute, but is no computeProvider",
    });
    setOnline(knowledge, "SURF", false);
    expect(reasons(query, knowledge)[0]).toMatchObject({ code: ErrorCode.COMPUTE_PROVIDER_OFFLINE });
    allow(["RUG"]);
    const reason = {
      code: ErrorCode.NO_COMMON_ARCHETYPE,
      clause: "",
      message: "dataThroughTtp needs a compute provider: RUG is allowed to compute, but is no computeProvider",
    };
    expect(reasons(query, knowledge)).toEqual([reason]);
    expect(plan(wageGapQuery(), knowledge).choices[0]?.considered).toContainEqual({
      archetype: "dataThroughTtp",
      reason: reason.message,
    });
    for (const steward of ["UVA", "VU"]) changeRelation(knowledge, steward, { allowedArchetypes: ["dataThroughTtp"] });
    expect(planOrRefusal(wageGapQuery({ options: { split: true } }), knowledge)).toEqual({
      reasons: expect.arrayContaining([reason]),
    });
  });

  it("refuses by name a chain that would begin with a step that works on another's rows", () => {
    const query = wageGapQuery({ requestType: "genericRequest", options: { anonymize: true } });
    const knowledge = wageGapKnowledge();
    Object.assign(knowledge.requestTypes[1] ?? {}, { optionalSteps: { "sql-anonymize": "anonymize" } });
    expect(reasons(query, knowledge)).toContainEqual({
      code: ErrorCode.COMPOSITION_INVALID,
      clause: "",
      message: "genericRequest begins with sql-anonymize, which works on what sql-query hands on",
    });
  });

  it("names what is missing of a request type without steps", () => {
    expect(reasons(wageGapQuery({ requestType: "genericRequest" }), wageGapKnowledge())[0]).toMatchObject({
      code: ErrorCode.COMPOSITION_INVALID,
      message: "genericRequest has no step to run in computeToData",
    });
  });

  it("says each thing that is in the way once, and where only if it is not everywhere", () => {
    const knowledge = wageGapKnowledge();
    knowledge.requestTypes[0]?.requiredSteps.push("sql-sort");
    expect(reasons(wageGapQuery(), knowledge).map(({ message }) => message)).toEqual([
      "there is no step named sql-sort",
    ]);
    const readOnly = wageGapKnowledge();
    readOnly.archetypes.pop();
    Object.assign(readOnly.requestTypes[0] ?? {}, { requiredSteps: ["sql-algorithm"], optionalSteps: {} });
    Object.assign(readOnly.agreements[0] ?? {}, { demandedSteps: { sqlDataRequest: { names: ["sql-query"] } } });
    expect(reasons(wageGapQuery({ options: { split: false } }), readOnly).map(({ message }) => message)).toEqual([
      "sqlDataRequest begins with sql-algorithm, which works on what sql-aggregate or sql-anonymize or sql-query hands on (at VU)",
    ]);
  });
});

describe("firstEnvelopes", () => {
  const started = (query: Query, knowledge = wageGapKnowledge()) => {
    const request = Envelope.fromPartial({
      queryId: query.id,
      deadlineMs: 77,
      traceparent: "00-1-2-01",
      replyTo: "reply.exchange.1",
      query,
      knowledge,
      trail: [{ step: "policy-enforcer" }],
    });
    const decision = decide(query, knowledge);
    return firstEnvelopes(plan(query, knowledge), request, decision);
  };

  it("starts each provider's chain with its own approval and nothing of the others'", () => {
    const envelopes = started(wageGapQuery());
    expect(envelopes.map(({ party, approvals }) => [party, approvals.map(({ provider }) => provider)])).toEqual([
      ["UVA", ["UVA"]],
      ["VU", ["VU"]],
    ]);
    expect(envelopes[0]).toMatchObject({
      queryId: "q1",
      step: "sql-query",
      hop: 0,
      attempt: 1,
      part: undefined,
      gather: undefined,
      knowledge: undefined,
      deadlineMs: 77,
      traceparent: "00-1-2-01",
      replyTo: "reply.exchange.1",
      inputs: [{ provider: "UVA", payload: undefined, failure: undefined }],
      trail: [{ step: "policy-enforcer" }],
    });
  });

  it("numbers the parts of a gather and names its chain", () => {
    const envelopes = started(wageGapQuery({ options: { aggregate: true } }));
    expect(envelopes.map(({ part, gather }) => [part, gather?.id])).toEqual([
      [{ index: 0, last: false }, "gather-SURF"],
      [{ index: 1, last: true }, "gather-SURF"],
    ]);
  });

  it("hands the algorithm on as asked: what it leaves open is chosen where the table is known", () => {
    const algorithm = { name: "average", column: "", groupBy: [] };
    expect(started(wageGapQuery({ algorithm })).map(({ query }) => query?.algorithm)).toEqual([algorithm, algorithm]);
  });
});
