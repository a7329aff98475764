import { describe, expect, it } from "vitest";
import type { HopRecord, Plan, Query } from "#contracts";
import { Plan as PlanMessage } from "#contracts";
import { wageGapQuery } from "#testing/wage-gap-knowledge";
import { dataOf, planKey, questionKey } from "./reuse.ts";

const query = wageGapQuery({ providers: ["UVA", "VU"], dataSets: ["a", "b"], sql: "SELECT 1" });

describe("what is asked", () => {
  it("is the same whatever the query's id, the order of names, and what is remembered", () => {
    const again: Query = { ...query, id: "another", providers: ["VU", "UVA"], dataSets: ["b", "a"] };
    const reuse = { queryId: "q0", answeredAtMs: 1, data: [] };
    expect(questionKey("s", { ...again, reuse })).toBe(questionKey("s", query));
  });

  const changes: { [Field in keyof Omit<Query, "id" | "reuse">]-?: Query[Field] } = {
    requestType: "other",
    user: { id: "other", name: query.user?.name ?? "" },
    providers: ["UVA"],
    dataSets: ["a"],
    sql: "SELECT 2",
    algorithm: { name: "sum", column: "", groupBy: [] },
    options: { graph: true },
    purpose: "other",
    head: true,
  };
  it.each(Object.entries(changes))("is something else with another %s", (field, value) => {
    expect(questionKey("s", { ...query, [field]: value })).not.toBe(questionKey("s", query));
  });

  it("is something else for another subject", () => {
    expect(questionKey("t", query)).not.toBe(questionKey("s", query));
  });
});

const plan: Plan = PlanMessage.fromPartial({
  queryId: "q1",
  attempt: 1,
  chains: [{ id: "UVA", party: "UVA", role: 1, archetype: "computeToData", steps: ["sql-query"], providers: ["UVA"] }],
  verdicts: [{ provider: "UVA", decision: { $case: "terms", value: { agreementRevision: 7 } } }],
  loads: [{ party: "UVA", load: 0.5 }],
});
const withTerms = (change: object): Plan =>
  PlanMessage.fromPartial({
    ...plan,
    verdicts: [{ provider: "UVA", decision: { $case: "terms", value: { agreementRevision: 7, ...change } } }],
  });

describe("what is planned", () => {
  it("is the same under another id, attempt and load", () => {
    expect(planKey({ ...plan, queryId: "q2", attempt: 3, loads: [] })).toBe(planKey(plan));
  });

  it.each<[string, Plan]>([
    ["another revision of an agreement", withTerms({ agreementRevision: 8 })],
    ["other terms", withTerms({ minimumGroupSize: 5 })],
    ["another step", { ...plan, chains: plan.chains.map((chain) => ({ ...chain, steps: ["sql-query", "more"] })) }],
    ["a provider that is refused", { ...plan, verdicts: [...plan.verdicts, { provider: "VU", decision: undefined }] }],
  ])("is something else with %s", (_, other) => {
    expect(planKey(other)).not.toBe(planKey(plan));
  });
});

describe("the data that a result was made of", () => {
  const hop = { party: "UVA", chain: "UVA", hop: 0, dataRevision: "r1" } as HopRecord;

  it("is named by each provider whose data was opened", () => {
    expect(dataOf(plan, [hop])).toEqual([{ provider: "UVA", revision: "r1" }]);
  });

  it.each<[string, HopRecord[]]>([
    ["says nothing", []],
    ["does not know", [{ ...hop, dataRevision: "" }]],
    ["leaves it to another party", [{ ...hop, party: "VU" }]],
  ])("is not known when a provider %s", (_, trail) => {
    expect(dataOf(plan, trail)).toBeUndefined();
  });
});
