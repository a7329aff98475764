import { expect, it } from "vitest";
import { ErrorCode, Query, Result } from "#contracts";
import { answeringSidecar } from "#testing/answering-sidecar";
import { madeTable } from "#testing/made-table";
import { withNotes } from "#testing/with-notes";
import { type Answer, problemAnswer } from "./answer.ts";
import { nothingCollected } from "./collect.ts";
import { problem } from "./problem.ts";
import type { RunOptions } from "./run-query.ts";
import { runWithHead } from "./run-with-head.ts";

const head = withNotes(madeTable([{ name: "n", kind: "int64" }], [[1n]]), { headOf: 5 });
const transfer = { name: "transfer.uva.exchange.1", chunks: 1, bytes: 10, sha256: Buffer.alloc(32) };

function answerWith(...tables: object[]): Answer {
  const results = tables.map((table) => {
    const result = Result.fromPartial({ table });
    return { party: "UVA", providers: ["UVA"], archetype: "computeToData", result };
  });
  const rest = { problem: undefined, failed: [], answering: ["UVA"], record: {} };
  return { id: "q1", status: 200, complete: true, results, ...rest };
}

function runOver(...answers: Answer[]) {
  const asked: RunOptions[] = [];
  const dropped: string[] = [];
  const api = { ...answeringSidecar(), dropTransfer: async (name: string) => void dropped.push(name) };
  const options: RunOptions = {
    api,
    exchangeParty: "exchange",
    query: Query.fromPartial({ id: "q1" }),
    deadlineMs: Date.now() + 10_000,
    traceparent: "",
    signal: new AbortController().signal,
    onProgress: () => {},
  };
  const run = async (one: RunOptions) => {
    asked.push(one);
    one.onProgress({ ...nothingCollected, attempt: one.attempt ?? 3 });
    const answer = answers[asked.length - 1];
    if (answer === undefined) throw new Error("asked too often");
    return answer;
  };
  return { asked, dropped, run: runWithHead(run, options) };
}

it("asks again under the attempt after that which the head had, for all of it", async () => {
  const whole = answerWith(madeTable([{ name: "n", kind: "int64" }], [[1n], [2n]]));
  const { asked, run } = runOver(answerWith(head), whole);
  expect(await run.head).toMatchObject({ results: [{ result: { table: { rows: 1 } } }] });
  expect(await run.whole).toBe(whole);
  expect(asked.map(({ attempt, query }) => [attempt, query.head])).toEqual([
    [undefined, true],
    [4, undefined],
  ]);
});

it("takes an answer of which nothing is left out for the whole", async () => {
  const whole = answerWith(madeTable([{ name: "n", kind: "int64" }], [[1n]]));
  const { asked, run } = runOver(whole);
  expect([await run.head, await run.whole]).toEqual([undefined, whole]);
  expect(asked).toHaveLength(1);
});

const invalid = { code: ErrorCode.APPROVAL_INVALID, message: "", party: "VU", step: "" };

it.each([
  ["all parties", problemAnswer("q1", problem(invalid.code, ""))],
  ["one of them", { ...answerWith(madeTable([{ name: "n", kind: "int64" }], [[1n]])), failed: [invalid] }],
])("asks for the whole alone where %s run a version that knows no heads", async (_, answer) => {
  const whole = answerWith();
  const { run } = runOver({ ...answer, complete: false }, whole);
  expect([await run.head, await run.whole]).toEqual([undefined, whole]);
});

it("drops what lies at the broker of an answer that it does not use", async () => {
  const whole = answerWith();
  const { dropped, run } = runOver(answerWith(head, { ...head, rows: 70, transfer }), whole);
  expect([await run.head, await run.whole]).toEqual([undefined, whole]);
  expect(dropped).toEqual([transfer.name]);
});

it.each([1, 0, -1, 1.5, Number.NaN, "5", null])("believes no head of %s rows", async (headOf) => {
  const answer = answerWith(withNotes(head, { headOf: headOf as number }));
  const { run } = runOver(answer);
  expect(await run.whole).toBe(answer);
});

it("leaves a table that can't be read to whoever reads it", async () => {
  const answer = answerWith({ arrowIpc: Buffer.from("no table"), rows: 3 });
  const { run } = runOver(answer);
  expect([await run.head, await run.whole]).toEqual([undefined, answer]);
});
