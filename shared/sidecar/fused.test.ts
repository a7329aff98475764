/** Steps of one chain in one process: the answers, the records and the checks are those of a chain whose steps are apart. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMemoryExchange } from "#adapters/memory/broker";
import { limits } from "#domain/limits";
import type { Broker } from "#ports/broker";
import { answerOver, dropAnswer } from "#testing/asker";
import { personenOf } from "#testing/personen";
import { openWorld, type World } from "#testing/world";
import { demoDocuments } from "../../cli/demo/documents.ts";
import archetypeSelector from "../../functions/archetype-selector/handler.ts";
import policyEnforcer from "../../functions/policy-enforcer/handler.ts";
import sqlAggregate from "../../functions/sql-aggregate/handler.ts";
import sqlAlgorithm from "../../functions/sql-algorithm/handler.ts";
import sqlAnonymize from "../../functions/sql-anonymize/handler.ts";
import sqlGraph from "../../functions/sql-graph/handler.ts";
import sqlQuery from "../../functions/sql-query/handler.ts";

const provider = [sqlQuery, sqlAnonymize, sqlAlgorithm, sqlGraph];
const steps = {
  exchange: [policyEnforcer, archetypeSelector],
  UVA: provider,
  VU: provider,
  SURF: [sqlAggregate, sqlAlgorithm, sqlGraph],
};
const parties = Object.keys(steps);
const rows = 14_000;

const average = { name: "average", column: "Unieknr", groupBy: ["Geslacht"] };
const home = { aggregate: false };
const union = { aggregate: true };
/** One table is inside its messages, one beside them. */
const questions = {
  "few rows": { sql: "SELECT * FROM Personen WHERE Unieknr <= 40 ORDER BY Unieknr" },
  "a mean of few rows": { sql: "SELECT * FROM Personen WHERE Unieknr <= 40", algorithm: average },
  "a mean of many rows": { sql: "SELECT * FROM Personen", algorithm: average },
  "many rows": { sql: "SELECT * FROM Personen ORDER BY Unieknr" },
  // Of several in a union the first to fail ends it.
  "a table that nobody has": { providers: ["UVA"], sql: "SELECT * FROM Salaries" },
  "a column that the algorithm does not find": {
    sql: "SELECT Naam FROM Personen",
    algorithm: { ...average, column: "Salschal" },
  },
} as const;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-fused-"));
  for (const party of ["UVA", "VU"]) {
    const lines = Array.from(
      { length: rows },
      (_, i) => `${i + 1};${i % 3 ? "V" : "M"};"person ${party} ""${i}"" é"\n`,
    );
    await writeFile(join(folder, `Personen_${party}.csv`), `Unieknr;Geslacht;Naam\n${lines.join("")}`);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Watched {
  readonly world: World;
  /** Steps' queues that got a message. */
  readonly queues: Set<string>;
  transfers: number;
}

async function open(fused: readonly string[]): Promise<Watched> {
  const hub = createMemoryExchange();
  const watched = { queues: new Set<string>(), transfers: 0 };
  const connect = async (party: string): Promise<Broker> => {
    const broker = hub.connect({ party });
    return {
      ...broker,
      publish: (message) => {
        if (message.type === "envelope") watched.queues.add(message.routingKey);
        return broker.publish(message);
      },
      transfers: {
        ...broker.transfers,
        open: (target) => {
          watched.transfers += 1;
          return broker.transfers.open(target);
        },
      },
    };
  };
  const world = await openWorld({
    documents: [...demoDocuments, personenOf("UVA"), personenOf("VU")],
    steps,
    environments: { UVA: { data_dir: folder }, VU: { data_dir: folder } },
    connect,
    fused,
  });
  return Object.assign(watched, { world });
}

/** Clocks, the seal, and the code that ran a step, which is another's and looked at apart. */
const ofEachRun = ["atMs", "ms", "queryId", "instance", "seq", "previous", "hash", "signature", "code"];

function recordsOf({ records }: World, queryId: string) {
  const at = (party: string) =>
    (records.get(party)?.lines ?? [])
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((record) => record.queryId === queryId)
      .map((record) => ({
        ...Object.fromEntries(Object.entries(record).filter(([name]) => !ofEachRun.includes(name))),
        agreements: sorted(record.agreements as object[]),
        ...(record.kind === "gather" ? { parts: sorted(record.parts as object[]) } : {}),
      }));
  return Object.fromEntries(parties.map((party) => [party, party === "exchange" ? sorted(at(party)) : at(party)]));
}

/** Parties work side by side, and who is first is chance. */
function sorted<T>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

let asked = 0;

async function askedIn(
  watched: Watched,
  question: (typeof questions)[keyof typeof questions],
  options: Record<string, boolean>,
) {
  const { world } = watched;
  watched.queues.clear();
  watched.transfers = 0;
  asked += 1;
  const queryId = `query-${asked}`;
  const query = { id: queryId, providers: ["UVA", "VU"], algorithm: undefined, ...structuredClone(question), options };
  const answer = await answerOver(world.api, query as Parameters<World["ask"]>[0], { timeoutMs: 60_000 });
  const results = await Promise.all(
    answer.results.map(async ({ result, ...rest }) => ({
      ...rest,
      result,
      chunks: await chunksOf(world, result.table?.transfer?.name),
    })),
  );
  await dropAnswer(answer, world.api);
  const hops = (answer.record.timings as { hops: Record<string, unknown>[] } | undefined)?.hops ?? [];
  return {
    status: answer.status,
    code: answer.problem?.code,
    failed: sorted(answer.failed),
    results: results.map((one) => ({ ...one, result: unnamed(one.result) })),
    hops: sorted(hops.map(({ party, step, rows }) => ({ party, step, rows }))),
    records: recordsOf(world, queryId),
  };
}

type Result = Awaited<ReturnType<typeof answerOver>>["results"][number]["result"];

function unnamed(result: Result) {
  const transfer = result.table?.transfer && { ...result.table.transfer, name: "" };
  return { ...result, table: result.table && { ...result.table, transfer } };
}

async function chunksOf(world: World, name: string | undefined): Promise<string> {
  const chunks: Uint8Array[] = [];
  if (name !== undefined) {
    for await (const chunk of world.api.readTransfer(name, new AbortController().signal)) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("base64");
}

describe("a chain in one process", () => {
  const opened = new Map<string, Watched>();
  /** One for all tests. */
  const opening = async (fused: readonly string[]) => {
    const watched = opened.get(fused.join()) ?? (await open(fused));
    opened.set(fused.join(), watched);
    return watched;
  };
  afterAll(async () => {
    await Promise.all([...opened.values()].map(({ world }) => world.close()));
  });

  const ways = [
    ["computeToData", home],
    ["dataThroughTtp, with a chart", { ...union, graph: true }],
  ] as const;
  describe.each(ways)("in %s", (_, options) => {
    it.each(Object.entries(questions))("answers and records %s as a chain in several", async (_name, question) => {
      const apart = await askedIn(await opening([]), question, options);
      const together = await askedIn(await opening(parties), question, options);
      expect(together).toEqual(apart);
    });
  });

  it("sends no message between its steps, and no transfer", async () => {
    const apart = await opening([]);
    const together = await opening(parties);
    await askedIn(apart, questions["a mean of many rows"], home);
    expect([...apart.queues]).toContain("uva.sql-algorithm");
    expect(apart.transfers).toBeGreaterThan(0);
    await askedIn(together, questions["a mean of many rows"], home);
    expect([...together.queues].sort()).toEqual(["exchange.policy-enforcer", "uva.sql-query", "vu.sql-query"]);
    expect(together.transfers).toBe(0);
  });

  it("is one party's matter: others' chains stay apart", async () => {
    const watched = await opening(["VU"]);
    expect((await askedIn(watched, questions["few rows"], home)).status).toBe(200);
    expect([...watched.queues]).toContain("uva.sql-algorithm");
    expect([...watched.queues]).not.toContain("vu.sql-algorithm");
  });

  it("lets rows that are too many for its memory leave as ever", async () => {
    const changeable: { fusedBytesMax: number } = limits;
    const before = changeable.fusedBytesMax;
    changeable.fusedBytesMax = 300_000;
    try {
      const apart = await askedIn(await opening([]), questions["a mean of many rows"], union);
      const watched = await opening(parties);
      expect(await askedIn(watched, questions["a mean of many rows"], union)).toEqual(apart);
      expect([...watched.queues]).toContain("surf.sql-algorithm");
    } finally {
      changeable.fusedBytesMax = before;
    }
  });

  it("records which code ran a step: that of the function whose process it was", async () => {
    const { world } = await opening(parties);
    const queryId = "the-query";
    await world.ask({ id: queryId, providers: ["UVA"], ...questions["few rows"], options: home });
    const builds = (world.records.get("UVA")?.lines ?? [])
      .map((line) => JSON.parse(line) as { kind: string; queryId: string; code: { function: string } })
      .filter((record) => record.kind === "step" && record.queryId === queryId)
      .map(({ code }) => code.function);
    expect(builds.length).toBeGreaterThan(2);
    expect(new Set(builds).size).toBe(1);
  });
});
