import { expect, test } from "vitest";
import { sameAnswers } from "./same-answers.ts";

const answer = (rows: unknown[][], changes: object = {}) => ({
  status: 200,
  body: { complete: true, results: [{ party: "VU", columns: [{ name: "average" }], rows }], ...changes },
});

test("takes equal answers to one question, and keeps questions apart", () => {
  const check = sameAnswers();
  expect(check("one", answer([[1]]))).toBe(true);
  expect(check("one", answer([[1]]))).toBe(true);
  expect(check("other", answer([[2]]))).toBe(true);
});

test("refuses what another way answered otherwise", () => {
  const check = sameAnswers();
  check("one", answer([[1]]));
  expect(check("one", answer([[1.0001]]))).toBe(false);
  expect(check("one", answer([[1], [2]]))).toBe(false);
});

test("refuses an answer in part, an empty one and a failure, also as the first", () => {
  const check = sameAnswers();
  expect(check("one", answer([[1]], { complete: false }))).toBe(false);
  expect(check("one", answer([]))).toBe(false);
  expect(check("one", answer([[1]], { results: [] }))).toBe(false);
  expect(check("one", { ...answer([[1]]), status: 503 })).toBe(false);
  expect(check("one", answer([[1]]))).toBe(true);
});
