/** Heads along a provider's chain: who gets one, and what becomes of it, step by step and in one process. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataSet, Envelope, Outcome, type Table } from "#contracts";
import { toJsonTable } from "#data/table-json";
import { notesOf } from "#data/table-notes";
import { sourceOf } from "#data/table-source";
import { limits } from "#domain/limits";
import { runChain } from "#runtime/run-chain";
import { noChunks } from "#runtime/table-flow";
import { approvalEnvironment } from "#testing/approval-keys";
import { callStep } from "#testing/call-step";
import { forwardedResult } from "#testing/made-table";
import { startedChain } from "#testing/started-chain";
import { type QueryChange, wageGapKnowledge, wageGapQuery } from "#testing/wage-gap-knowledge";
import sqlAlgorithm from "../sql-algorithm/handler.ts";
import sqlAnonymize from "../sql-anonymize/handler.ts";
import sqlGraph from "../sql-graph/handler.ts";
import step from "./handler.ts";

const nowMs = Date.now();
const rows = 1_500;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-heads-"));
  const lines = Array.from(
    { length: rows },
    (_, i) => `${i};name ${i};${1950 + (i % 50)}-01-31;not a day;${"x".repeat(8_000)}\n`,
  );
  await writeFile(join(folder, "Personen_UVA.csv"), `Unieknr;Naam;Gebdat;Note;Wide\n${lines.join("")}`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const context = () => ({
  environment: { ...approvalEnvironment, data_dir: folder, cache_dir: join(folder, "cache") },
  now: () => nowMs,
  temporaryFolder: folder,
});

function knowledgeOf(rules: Readonly<Record<string, string>>) {
  const knowledge = wageGapKnowledge();
  const columns = Object.entries(rules).map(([name, anonymize]) => ({ name, anonymize }));
  const tables = [{ name: "Personen", file: "Personen_UVA.csv", columns }];
  knowledge.dataSets = [DataSet.fromPartial({ name: "wageGap", party: "UVA", type: "csv", delimiter: ";", tables })];
  return knowledge;
}

/** UVA's first hop of a query, which asks for a head unless it says otherwise, as the exchange starts it. */
function asked(change: QueryChange = {}, rules: Readonly<Record<string, string>> = { Naam: "mask" }): Envelope {
  const knowledge = knowledgeOf(rules);
  const query = wageGapQuery({ sql: "SELECT Unieknr, Naam FROM Personen", providers: ["UVA"], head: true, ...change });
  return startedChain("UVA", { query, knowledge, nowMs, deadlineMs: nowMs + 60_000 });
}

const through = { providers: ["UVA", "VU"], options: { aggregate: true } };
const tableIn = (outcome: Outcome): Table => forwardedResult(outcome).table ?? expect.fail("there is no table");
const tableOf = async (envelope: Envelope) => tableIn(await callStep(step, envelope, context()));
const lengths = (table: Table) => [table.rows, sourceOf(table).headOf];

const head = [limits.headRows, rows];
const whole = [rows, undefined];

describe("sql-query gives a head", () => {
  it.each([
    ["at home", asked()],
    ["for a union", asked(through)],
    ["of rows by name", asked({ algorithm: { name: "Rows" } })],
  ])("where one is asked for: %s", async (_, envelope) => {
    expect(lengths(await tableOf(envelope))).toEqual(head);
  });

  const aggregated = { algorithm: { name: "max", column: "Unieknr" } };
  const custom = (envelope: Envelope) => envelope.chain?.steps.splice(1, 0, "my-filter");
  it.each<[string, Envelope, ((envelope: Envelope) => unknown)?]>([
    ["nobody asks", asked({ head: undefined })],
    ["its asker says that it wants none", asked({ head: false })],
    ["an algorithm follows at home", asked(aggregated)],
    ["an algorithm follows the union", asked({ ...through, ...aggregated })],
    ["the rows are drawn at home", asked({ options: { graph: true } })],
    ["the union is drawn", asked({ ...through, options: { aggregate: true, graph: true } })],
    ["a step of the chain is not known", asked(), custom],
    ["a step of the gather's chain is not known", asked(through), ({ gather }) => gather?.steps.push("my-filter")],
    ["a step has another case", asked(), ({ chain }) => chain?.steps.push("SQL-Anonymize")],
  ])("and gives all rows where %s", async (_, envelope, change = () => {}) => {
    change(envelope);
    expect(lengths(await tableOf(envelope))).toEqual(whole);
  });

  it.each<[string, Envelope, boolean | undefined]>([
    ["who signed for the whole", asked({ head: undefined }), true],
    ["who signed for the head", asked(), undefined],
    ["who signed for the head", asked(), false],
  ])("to nobody but whom it was approved for: %s, with head %j", async (_, envelope, to) => {
    const query = { ...wageGapQuery(), ...envelope.query };
    if (to === undefined) delete query.head;
    else query.head = to;
    await expect(callStep(step, { ...envelope, query }, context())).rejects.toMatchObject({
      label: "APPROVAL_INVALID",
    });
  });
});

describe("a head on its way through the chain", () => {
  /** As each step's outcome has it. */
  async function hops(envelope: Envelope): Promise<Table[]> {
    const tables = [await tableOf(envelope)];
    for (const next of [sqlAnonymize, sqlAlgorithm]) {
      const payload = { content: { $case: "result" as const, value: { table: tables.at(-1) } } };
      const input = Envelope.fromPartial({ inputs: [{ provider: "UVA", payload }] }).inputs;
      tables.push(tableIn(await callStep(next, { ...envelope, step: next.name, inputs: input }, context())));
    }
    return tables;
  }

  it("keeps its note, whatever is anonymised, and is the head of what the whole becomes", async () => {
    const sql = "SELECT Naam, Unieknr, Gebdat, Note FROM Personen ORDER BY Unieknr DESC";
    const rules = { Naam: "mask", Gebdat: "year", Note: "drop" };
    const [all, cut] = [await hops(asked({ sql, head: undefined }, rules)), await hops(asked({ sql }, rules))];
    for (const table of all) expect(lengths(table)).toEqual(whole);
    for (const table of cut) expect(lengths(table)).toEqual(head);
    const [end, cutEnd] = [all.at(-1), cut.at(-1)].map((table) => toJsonTable((table as Table).arrowIpc));
    expect(cutEnd?.rows).toEqual(end?.rows.slice(0, limits.headRows));
    expect(cutEnd?.columns).toEqual(end?.columns);
  });

  it("has no note once no column is left, and no rows", async () => {
    const [first, ...others] = await hops(asked({ sql: "SELECT Unieknr AS secret FROM Personen" }, { secret: "drop" }));
    expect(lengths(first as Table)).toEqual(head);
    for (const table of others) {
      expect([lengths(table), notesOf(table).headOf]).toEqual([[0, undefined], undefined]);
    }
  });

  it.each([
    ["small rows", "SELECT Unieknr, Naam FROM Personen"],
    ["wide rows", "SELECT Unieknr, Wide FROM Personen"],
  ])("passes through steps of one process, %s", async (_, sql) => {
    const told: (number | undefined)[][] = [];
    const chunks: Uint8Array[] = [];
    const tell = (outcome: Uint8Array) => {
      const { decision } = Outcome.decode(outcome);
      const content = decision?.$case === "forward" ? decision.value.payload?.content : undefined;
      if (content?.$case !== "result") throw new Error(JSON.stringify(decision));
      told.push(lengths(content.value.table as Table));
    };
    const envelope = { ...asked({ sql }), goesOnWith: ["sql-anonymize", "sql-algorithm"] };
    const temporaryFolder = await mkdtemp(join(folder, "fused-"));
    const outcome = await runChain(
      step,
      [sqlGraph, sqlAlgorithm, sqlAnonymize],
      {
        envelope: Envelope.encode(envelope).finish(),
        chunks: noChunks(),
        take: async (chunk) => void chunks.push(chunk),
        handOn: async (bytes) => tell(bytes),
      },
      { ...context(), temporaryFolder },
      () => {},
    );
    tell(outcome);
    expect(told).toHaveLength(3);
    for (const [count = 0, of] of told) {
      expect(of).toBe(rows);
      expect(count).toBeLessThanOrEqual(limits.headRows);
      expect([count, of]).toEqual(told[0]);
    }
    expect(chunks).toEqual([]);
  });
});
