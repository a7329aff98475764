/** The golden numbers of the public data, step by step, without sidecar or broker. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Envelope, Knowledge, type Result, Role, type Table } from "#contracts";
import { evaluate } from "#domain/policy";
import type { Step, StepContext } from "#runtime/define-step";
import { approvalEnvironment, signedApproval } from "#testing/approval-keys";
import { callStep } from "#testing/call-step";
import { forwardedResult, forwardedTable, tableEnvelope } from "#testing/made-table";
import { wageGapKnowledge, wageGapQuery } from "#testing/wage-gap-knowledge";
import sqlAggregate from "../sql-aggregate/handler.ts";
import sqlAlgorithm from "../sql-algorithm/handler.ts";
import sqlAnonymize from "../sql-anonymize/handler.ts";
import sqlQuery from "./handler.ts";

const dataDir = join(
  process.env.DYNAMOS_SHARED ?? resolve(import.meta.dirname, "../../../shared"),
  "datasets/wage-gap",
);
const hasData = existsSync(join(dataDir, "Personen_UVA.csv"));
if (!hasData) process.stderr.write(`SKIPPED: the public data is not in ${dataDir}, its numbers are not checked\n`);

const joined = "FROM Personen p JOIN Aanstellingen s ON p.Unieknr = s.Unieknr";
const queries = {
  Q1: `SELECT p.Geslacht, s.Salschal ${joined}`,
  Q4: `SELECT DISTINCT p.Unieknr, p.Geslacht, p.Gebdat, s.Aanst_22, s.Functcat, s.Salschal ${joined} LIMIT 30000`,
} as const;
/** Rows and mean salary scale of men, then of women. */
const golden = {
  Q1: {
    UVA: [15_514, 11.877, 20_045, 10.597],
    VU: [27_571, 10.955, 28_912, 9.657],
    both: [43_085, 11.287, 48_957, 10.042],
  },
  Q4: {
    UVA: [10_869, 11.824, 14_294, 10.823],
    VU: [3_946, 11.051, 4_258, 9.914],
    both: [14_815, 11.618, 18_552, 10.614],
  },
} as const;

describe.skipIf(!hasData)("the public data, step by step", () => {
  let cache: string;
  let context: StepContext;

  beforeAll(async () => {
    cache = await mkdtemp(join(tmpdir(), "dynamos-golden-"));
    context = {
      environment: { ...approvalEnvironment, data_dir: dataDir, cache_dir: cache },
      now: () => 1_000,
      temporaryFolder: cache,
    };
  });
  afterAll(() => rm(cache, { recursive: true, force: true }));

  const run = async (step: Step, envelope: Envelope) => await callStep(step, envelope, context);

  function askedOf(party: string, sql: string, knowledge = wageGapKnowledge()): Envelope {
    const query = wageGapQuery({ sql });
    const { decision } = evaluate(query, party, knowledge, 1_000);
    if (decision?.$case !== "terms") throw new RangeError(`${party} refuses`);
    const message = { queryId: query.id, query, replyTo: "", attempt: 1, deadlineMs: 21_000 };
    return Envelope.fromPartial({
      ...message,
      party,
      step: "sql-query",
      chain: {
        id: party,
        party,
        role: Role.ALL,
        archetype: "computeToData",
        steps: ["sql-query"],
        providers: [party],
      },
      approvals: [signedApproval(message, { provider: party, terms: decision.value })],
      knowledge,
    } as Envelope);
  }

  const tableOf = async (party: string, sql: string) =>
    given(forwardedResult(await run(sqlQuery, askedOf(party, sql))));

  /** As at a compute provider: nothing is known there but what came with the table. */
  async function averageOf(table: Table) {
    const query = wageGapQuery({ algorithm: { name: "average" } });
    const outcome = await run(
      sqlAlgorithm,
      tableEnvelope({ UVA: table }, { query, knowledge: Knowledge.fromPartial({}) }),
    );
    const { columns, rows } = forwardedTable(outcome);
    expect(columns.map(({ name }) => name)).toEqual(["Geslacht", "average", "count"]);
    expect(rows.map(([gender]) => gender)).toEqual(["M", "V"]);
    return rows.flatMap(([, mean, count]) => [count, Math.round(Number(mean) * 1_000) / 1_000]);
  }

  it.each(["Q1", "Q4"] as const)("gives the golden numbers of %s at each university and over both", async (name) => {
    const [uva, vu] = [await tableOf("UVA", queries[name]), await tableOf("VU", queries[name])];
    expect(await averageOf(uva)).toEqual(golden[name].UVA);
    expect(await averageOf(vu)).toEqual(golden[name].VU);
    const union = given(forwardedResult(await run(sqlAggregate, tableEnvelope({ VU: vu, UVA: uva }))));
    expect(union.rows).toBe(uva.rows + vu.rows);
    expect(await averageOf(union)).toEqual(golden[name].both);
  });

  it("gives the rows of Q1 in the same order each time", async () => {
    const [once, again] = [await tableOf("UVA", queries.Q1), await tableOf("UVA", queries.Q1)];
    expect(Buffer.from(again.arrowIpc).equals(Buffer.from(once.arrowIpc))).toBe(true);
  });

  it("keeps the leading zeros of nationalities, and cuts birth dates to the year where the description says so", async () => {
    const knowledge = wageGapKnowledge();
    const personen = knowledge.dataSets.flatMap(({ tables }) => tables).filter(({ name }) => name === "Personen");
    for (const table of personen)
      table.columns = [{ name: "Gebdat", type: "", title: "", unit: "", anonymize: "year" }];
    const sql = "SELECT Nationaliteit, Gebdat FROM Personen WHERE Unieknr = 2104 LIMIT 1";
    const table = given(forwardedResult(await run(sqlQuery, askedOf("UVA", sql, knowledge))));
    const anonymized = await run(sqlAnonymize, tableEnvelope({ UVA: table }));
    expect(forwardedTable(anonymized)).toMatchObject({
      rows: [["0000", 1990]],
      remarks: ["Gebdat is cut to the year"],
    });
  });
});

function given({ table }: Result): Table {
  if (table === undefined) throw new Error("the result holds no table");
  return table;
}
