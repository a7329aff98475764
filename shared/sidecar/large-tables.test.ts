/** Tables larger than a message, through whole queries: over the in-memory broker and over RabbitMQ. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { connectAmqp } from "#adapters/amqp/broker";
import { removeAll } from "#adapters/amqp/remove-all";
import { createMemoryExchange } from "#adapters/memory/broker";
import { createMemoryLog } from "#adapters/memory/log";
import { limits } from "#domain/limits";
import type { Broker } from "#ports/broker";
import type { Transfers } from "#ports/transfers";
import { personenOf } from "#testing/personen";
import { openWorld, type World } from "#testing/world";
import { demoDocuments } from "../../cli/demo/documents.ts";
import archetypeSelector from "../../functions/archetype-selector/handler.ts";
import policyEnforcer from "../../functions/policy-enforcer/handler.ts";
import sqlAggregate from "../../functions/sql-aggregate/handler.ts";
import sqlAlgorithm from "../../functions/sql-algorithm/handler.ts";
import sqlAnonymize from "../../functions/sql-anonymize/handler.ts";
import sqlQuery from "../../functions/sql-query/handler.ts";

const rowsOf = { UVA: 70_000, VU: 55_000 } as const;
const amqpUrl = inject("amqpUrl");
let folder: string;

/** As the files have them, so that nothing of the system says what is right. */
const expected = Object.entries(rowsOf).flatMap(([party, rows]) =>
  Array.from({ length: rows }, (_, i) => [i + 1, `${party} ${i}`]),
);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-large-"));
  for (const [party, rows] of Object.entries(rowsOf)) {
    const lines = Array.from({ length: rows }, (_, i) => `${i + 1};${party} ${i}\n`);
    await writeFile(join(folder, `Personen_${party}.csv`), `id;label\n${lines.join("")}`);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Keeps account of which transfers are there. */
function watched(broker: Broker, open: Map<string, number>): Broker {
  const { transfers } = broker;
  const counting: Transfers = {
    open: async (target) => {
      const writer = await transfers.open(target);
      open.set(writer.name, 0);
      const write = (chunk: Uint8Array) => {
        open.set(writer.name, Math.max(open.get(writer.name) ?? 0, chunk.length));
        return writer.write(chunk);
      };
      return { name: writer.name, write, end: writer.end };
    },
    read: (name, signal) => transfers.read(name, signal),
    renew: (name) => transfers.renew(name),
    drop: async (name) => {
      await transfers.drop(name);
      open.delete(name);
    },
  };
  return new Proxy(broker, {
    get: (target, key) => {
      if (key === "transfers") return counting;
      const value = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function largeTables(connect: (party: string) => Promise<Broker>): void {
  const open = new Map<string, number>();
  let world: World;

  beforeAll(async () => {
    const environment = { data_dir: folder };
    world = await openWorld({
      documents: [...demoDocuments, personenOf("UVA"), personenOf("VU")],
      steps: {
        exchange: [policyEnforcer, archetypeSelector],
        UVA: [sqlQuery, sqlAnonymize, sqlAlgorithm],
        VU: [sqlQuery, sqlAnonymize, sqlAlgorithm],
        SURF: [sqlAggregate, sqlAlgorithm],
      },
      environments: { UVA: environment, VU: environment },
      connect: async (party) => watched(await connect(party), open),
    });
  });
  afterAll(() => world?.close());
  afterEach(() => open.clear());

  const all = { providers: ["UVA", "VU"], sql: "SELECT id, label FROM Personen ORDER BY id" };
  const resultsOf = ({ body }: { body: Readonly<Record<string, unknown>> }) =>
    body.results as { party: string; rowCount: number; rows: unknown[][] }[];

  it("unites them at the third party, each row once and in order, and leaves no transfer behind", async () => {
    const answer = await world.ask({ ...all, options: { aggregate: true } }, { timeoutMs: 60_000 });
    const [result, ...more] = resultsOf(answer);
    expect(more).toEqual([]);
    expect(result).toMatchObject({ party: "SURF", rowCount: expected.length });
    expect(result?.rows).toEqual(expected);
    await expect.poll(() => [...open.keys()]).toEqual([]);
  });

  it("answers them from each provider where the computation goes to the data", async () => {
    const results = resultsOf(await world.ask(all, { timeoutMs: 60_000 }));
    expect(results.map(({ party, rowCount }) => [party, rowCount])).toEqual(Object.entries(rowsOf));
    expect(results.flatMap(({ rows }) => rows)).toEqual(expected);
    await expect.poll(() => [...open.keys()]).toEqual([]);
  });

  it("are on record as opened before they leave, and with rows, bytes and hash when they have left", async () => {
    const before = world.records.get("UVA")?.lines.length ?? 0;
    await world.ask({ ...all, options: { aggregate: true } }, { timeoutMs: 60_000 });
    const records = (world.records.get("UVA")?.lines ?? []).slice(before).map((line) => JSON.parse(line));
    const left = records.filter(({ kind }) => kind === "release");
    expect(left.map(({ what, to }) => `${what} ${to}`)).toEqual(["opened surf", "part surf"]);
    const [table] = left[1].contents;
    expect(table).toMatchObject({ what: "table", rows: rowsOf.UVA, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(table.bytes).toBeGreaterThan(limits.inlineBytesMax);
    expect(records.indexOf(left[0])).toBeLessThan(records.findIndex(({ step }) => step === "sql-anonymize"));
  });

  it("computes over them at the third party, and answers a few numbers", async () => {
    const algorithm = { name: "sum", column: "id", groupBy: [] };
    const answer = await world.ask({ ...all, algorithm, options: { aggregate: true } }, { timeoutMs: 60_000 });
    const sum = Object.values(rowsOf).reduce((total, rows) => total + (rows * (rows + 1)) / 2, 0);
    expect(resultsOf(answer)[0]?.rows).toEqual([[sum, expected.length]]);
    await expect.poll(() => [...open.keys()]).toEqual([]);
  });

  it("sends no chunk over the limit, and nothing beside the messages when the table fits into one", async () => {
    const seen = new Set<number>();
    const largest = () => seen.add(Math.max(0, ...open.values()));
    const timer = setInterval(largest, 1);
    await world.ask({ ...all, options: { aggregate: true } }, { timeoutMs: 60_000 });
    clearInterval(timer);
    expect(Math.max(...seen)).toBeGreaterThan(limits.transferChunkBytesMax / 2);
    expect(Math.max(...seen)).toBeLessThanOrEqual(limits.transferChunkBytesMax);
    open.clear();
    await world.ask({ ...all, sql: `${all.sql} LIMIT 100`, options: { aggregate: true } });
    expect(open.size).toBe(0);
  });

  it("leaves no transfer of a query that fails behind", async () => {
    const algorithm = { name: "sum", column: "label", groupBy: [] };
    const answer = await world.ask({ ...all, algorithm, options: { aggregate: true } }, { timeoutMs: 60_000 });
    expect(answer).toMatchObject({ status: 400, body: { code: "TYPE_MISMATCH" } });
    await expect.poll(() => [...open.keys()]).toEqual([]);
  });

  it("leaves no transfer of a query whose asker goes away behind", async () => {
    const controller = new AbortController();
    const asked = world.ask({ ...all, options: { aggregate: true } }, { signal: controller.signal });
    await expect.poll(() => open.size, { timeout: 10_000, interval: 2 }).toBeGreaterThan(0);
    controller.abort();
    await asked.catch(() => {});
    await expect.poll(() => [...open.keys()], { timeout: 10_000 }).toEqual([]);
  });
}

describe("tables larger than a message, over the in-memory broker", () => {
  const hub = createMemoryExchange();
  largeTables(async (party) => hub.connect({ party }));
});

describe.skipIf(amqpUrl === "")("tables larger than a message, over RabbitMQ", () => {
  const prefix = `t${randomUUID()}.`;
  const log = createMemoryLog();
  const queues = ["uva", "vu", "surf", "exchange"].flatMap((party) =>
    [
      "gather",
      "sql-query",
      "sql-anonymize",
      "sql-algorithm",
      "sql-aggregate",
      "policy-enforcer",
      "archetype-selector",
    ].map((step) => `${party}.${step}`),
  );
  afterAll(() => removeAll({ url: amqpUrl, prefix, queues, parties: ["UVA", "VU", "SURF", "exchange"] }));
  largeTables((party) => connectAmqp({ url: amqpUrl, party, log, prefix }));
});
