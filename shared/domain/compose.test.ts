import { describe, expect, it } from "vitest";
import { ErrorCode, RequestType, Role, Step } from "#contracts";
import { wageGapKnowledge } from "#testing/wage-gap-knowledge";
import { type CompositionQuestion, compose, linkProblem } from "./compose.ts";

const knowledge = wageGapKnowledge();
const [home, ttp] = knowledge.archetypes;
const [sqlDataRequest, genericRequest] = knowledge.requestTypes;
if (!home || !ttp || !sqlDataRequest || !genericRequest) {
  throw new Error("the example lacks what these tests need");
}

const ask = (change: Partial<CompositionQuestion>): CompositionQuestion => ({
  requestType: sqlDataRequest,
  steps: knowledge.steps,
  archetype: home,
  role: Role.ALL,
  options: {},
  demandedSteps: [],
  ...change,
});

const chain = (names: readonly string[], { label = "dataProvider" } = {}): Step[] =>
  names.map((name, index) => Step.fromPartial({ name, label, allowedOutputs: names.slice(index + 1, index + 2) }));

const needing = (...requiredSteps: string[]) => RequestType.fromPartial({ name: "made-up", requiredSteps });

const messages = (question: CompositionQuestion) => compose(question).reasons?.map(({ message }) => message);

describe("compose: the original's chains", () => {
  it.each([
    ["all", {}, ["sql-query", "sql-algorithm"]],
    ["all", { anonymize: true }, ["sql-query", "sql-anonymize", "sql-algorithm"]],
    // The original keeps sql-aggregate here as a pass-through: it loses `invalidArchetypes`.
    ["all", { aggregate: true }, ["sql-query", "sql-algorithm"]],
    ["all", { graph: true }, ["sql-query", "sql-algorithm", "sql-graph"]],
    ["dataProvider", {}, ["sql-query"]],
    ["dataProvider", { anonymize: true }, ["sql-query", "sql-anonymize"]],
    // The original leaves sql-aggregate out and returns whichever table comes last (W2).
    ["computeProvider", {}, ["sql-aggregate", "sql-algorithm"]],
    ["computeProvider", { aggregate: false }, ["sql-aggregate", "sql-algorithm"]],
    ["computeProvider", { aggregate: true }, ["sql-aggregate", "sql-algorithm"]],
    ["computeProvider", { graph: true }, ["sql-aggregate", "sql-algorithm", "sql-graph"]],
  ])("role %s with %j", (name, options, steps) => {
    const role = { all: Role.ALL, dataProvider: Role.DATA_PROVIDER, computeProvider: Role.COMPUTE_PROVIDER }[name];
    const archetype = role === Role.ALL ? home : ttp;
    expect(compose(ask({ role: role ?? Role.UNSPECIFIED, archetype, options }))).toEqual({ steps });
  });
});

describe("compose", () => {
  it("runs what a steward demands although nobody asks (A3)", () => {
    expect(compose(ask({ demandedSteps: ["sql-anonymize"], options: { anonymize: false } }))).toEqual({
      steps: ["sql-query", "sql-anonymize", "sql-algorithm"],
    });
  });

  it("places a demanded step by its label", () => {
    const demandedSteps = ["sql-graph"];
    expect(compose(ask({ archetype: ttp, role: Role.DATA_PROVIDER, demandedSteps })).steps).toEqual(["sql-query"]);
    expect(compose(ask({ archetype: ttp, role: Role.COMPUTE_PROVIDER, demandedSteps })).steps).toContain("sql-graph");
  });

  it("drops an optional step that is invalid in the archetype", () => {
    const steps = knowledge.steps.map((step) =>
      step.name === "sql-graph" ? { ...step, invalidArchetypes: ["computeToData"] } : step,
    );
    expect(compose(ask({ steps, options: { graph: true } })).steps).toEqual(["sql-query", "sql-algorithm"]);
  });

  it.each([
    ["required", { requestType: needing("sql-query", "sql-aggregate", "sql-algorithm") }],
    ["demanded", { demandedSteps: ["sql-aggregate"] }],
  ])("is invalid where a %s step is invalid in the archetype, and names both", (_, change) => {
    expect(compose(ask(change)).reasons).toEqual([
      {
        code: ErrorCode.COMPOSITION_INVALID,
        clause: "",
        message: "sql-aggregate is needed but invalid in computeToData",
      },
    ]);
  });

  it("names every step that is not in the catalogue", () => {
    expect(messages(ask({ requestType: needing("sql-query", "b"), demandedSteps: ["a"] }))).toEqual([
      "there is no step named a",
      "there is no step named b",
    ]);
  });

  it("reads flags and labels without regard to case, as the original", () => {
    const steps = knowledge.steps.map((step) => ({ ...step, label: step.label.toUpperCase() }));
    const question = ask({ steps, archetype: ttp, role: Role.DATA_PROVIDER, options: { Anonymize: true } });
    expect(compose(question)).toEqual({ steps: ["sql-query", "sql-anonymize"] });
  });

  it("refuses a step with a label that no party bears, which would silently run nowhere", () => {
    const steps = knowledge.steps.map((step) => (step.name === "sql-query" ? { ...step, label: "provider" } : step));
    expect(messages(ask({ steps, archetype: ttp, role: Role.DATA_PROVIDER }))).toEqual([
      "sql-query has a label that no party bears: provider",
    ]);
  });

  it("refuses an empty chain", () => {
    expect(messages(ask({ requestType: genericRequest }))).toEqual([
      "genericRequest has no step to run in computeToData",
    ]);
  });

  it("names the gap where the steps are not one connected path", () => {
    const steps = [...chain(["a", "b"]), ...chain(["c", "d"])];
    expect(messages(ask({ steps, requestType: needing("a", "b", "c", "d") }))).toEqual(["b may not hand on to c"]);
  });

  it("names the fork where two steps may only follow the same one", () => {
    const steps = [...chain(["a", "z"]), ...chain(["b"])].map((step) =>
      step.name === "a" ? { ...step, allowedOutputs: ["b", "z"] } : step,
    );
    expect(messages(ask({ steps, requestType: needing("a", "b", "z") }))).toEqual(["b may not hand on to z"]);
  });

  it("names the members of a cycle, and not those before and after it", () => {
    const links: Record<string, string[]> = { a: ["b"], b: ["c"], c: ["d"], d: ["b", "e"], e: [] };
    const steps = Object.entries(links).map(([name, allowedOutputs]) =>
      Step.fromPartial({ name, label: "dataProvider", allowedOutputs }),
    );
    expect(messages(ask({ steps, requestType: needing(...Object.keys(links)) }))).toEqual([
      "the steps form a cycle: b, c, d",
    ]);
  });

  it("refuses a step that may hand on to itself", () => {
    const steps = [Step.fromPartial({ name: "a", label: "dataProvider", allowedOutputs: ["a"] })];
    expect(messages(ask({ steps, requestType: needing("a") }))).toEqual(["the steps form a cycle: a"]);
  });
});

describe("linkProblem", () => {
  it("lets a provider's chain end where the third party's may begin, and nowhere else", () => {
    expect(linkProblem(["sql-query"], ["sql-aggregate"], knowledge.steps)).toBeUndefined();
    expect(linkProblem(["sql-query"], ["sql-graph"], knowledge.steps)?.message).toBe(
      "sql-query may not hand on to sql-graph",
    );
  });
});
