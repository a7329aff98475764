import { expect, it } from "vitest";
import { answerOf, wrongness } from "../judge.ts";
import { oneProvider } from "../questions.ts";

const right = JSON.stringify({
  complete: true,
  archetypes: [{ archetype: oneProvider.archetype }],
  results: oneProvider.answeredBy.map((party) => ({ party, rows: [[1]] })),
});
const fault = (body: unknown, headers: object = { "X-Query-Complete": "true" }) =>
  wrongness(oneProvider, 200, answerOf(body, headers), {});

it("takes a right answer, however the names of its headers are written", () => {
  expect(fault(right)).toBeUndefined();
  expect(fault(right, { "x-query-complete": "true" })).toBeUndefined();
});

it.each([
  ["that is somebody else's", right, {}, "without X-Query-Complete"],
  ["that has no body", "", {}, "without X-Query-Complete"],
  ["that broke off", right.slice(0, -1), undefined, "the answer broke off"],
  ["that lacks a provider", right.replace("true", "false"), undefined, "not complete"],
])("calls an answer wrong %s", (_, body, headers, why) => {
  expect(fault(body, headers)).toContain(why);
});
