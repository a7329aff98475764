import { expect, it } from "vitest";
import { ErrorCode, Role } from "#contracts";
import { answerOf } from "./answer.ts";
import { collect, isComplete, nothingCollected } from "./collect.ts";

const chain = {
  id: "UVA",
  party: "UVA",
  role: Role.ALL,
  archetype: "computeToData",
  steps: ["sql-query"],
  providers: ["UVA"],
  gatherAt: "",
};

it("never says complete of a query whose control chain failed after its plan: its chains may not have begun", () => {
  const reply = { id: "r", queryId: "q", attempt: 1, party: "exchange", chain: "", trail: [] };
  const plan = { queryId: "q", attempt: 1, choices: [], chains: [chain], verdicts: [], loads: [] };
  const failure = { code: ErrorCode.OVERLOADED, message: "full", party: "exchange", step: "archetype-selector" };
  const announced = collect(nothingCollected, { ...reply, content: { $case: "plan", value: plan } });
  const collected = collect(announced, { ...reply, content: { $case: "failure", value: failure } });
  expect(isComplete(collected)).toBe(true);
  const answer = answerOf({ id: "q", collected, cutShort: undefined, totalMs: 1 });
  expect(answer).toMatchObject({ status: 503, complete: false, problem: { code: "OVERLOADED" } });
});

it("says of a cancelled query that it was cancelled, as its status does", () => {
  const cutShort = { code: ErrorCode.CANCELLED, message: "the query was cancelled", party: "", step: "" };
  const answer = answerOf({ id: "q", collected: nothingCollected, cutShort, totalMs: 1 });
  expect(answer).toMatchObject({ status: 409, problem: { code: "CANCELLED", queryStatus: "cancelled" } });
});

it.each([
  ["UVA", "VU"],
  ["VU", "UVA"],
])("names what failed by party, not by who was first: %s, %s", (...parties) => {
  const chains = ["UVA", "VU"].map((party) => ({ ...chain, id: party, party, providers: [party] }));
  const plan = { queryId: "q", attempt: 1, choices: [], chains, verdicts: [], loads: [] };
  const ends = new Map(
    parties.map((party) => {
      const failure = { code: ErrorCode.SQL_INVALID, message: "no such column", party, step: "sql-query" };
      return [party, { chain: party, party, content: { failure } }];
    }),
  );
  const { problem } = answerOf({
    id: "q",
    collected: { ...nothingCollected, plan, ends },
    cutShort: undefined,
    totalMs: 1,
  });
  expect(problem).toMatchObject({
    detail: "UVA sql-query: no such column",
    failed: [{ party: "UVA" }, { party: "VU" }],
  });
});
