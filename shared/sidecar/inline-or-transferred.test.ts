/**
 * 250,000 rows through the third party as transfers, against the same query with every table inside
 * its messages: the answer must be the same bytes. Over the in-memory broker and over RabbitMQ.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { connectAmqp } from "#adapters/amqp/broker";
import { removeAll } from "#adapters/amqp/remove-all";
import { createMemoryExchange } from "#adapters/memory/broker";
import { createMemoryLog } from "#adapters/memory/log";
import { limits } from "#domain/limits";
import type { Broker } from "#ports/broker";
import { answerOver, dropAnswer } from "#testing/asker";
import { personenOf } from "#testing/personen";
import { openWorld, type World } from "#testing/world";
import { demoDocuments } from "../../cli/demo/documents.ts";
import archetypeSelector from "../../functions/archetype-selector/handler.ts";
import { chooseFormat } from "../../functions/orchestrator/answer-response.ts";
import policyEnforcer from "../../functions/policy-enforcer/handler.ts";
import sqlAggregate from "../../functions/sql-aggregate/handler.ts";
import sqlAlgorithm from "../../functions/sql-algorithm/handler.ts";
import sqlAnonymize from "../../functions/sql-anonymize/handler.ts";
import sqlQuery from "../../functions/sql-query/handler.ts";

const rowsOf = { UVA: 130_000, VU: 120_000 } as const;
const rowsTotal = rowsOf.UVA + rowsOf.VU;
const amqpUrl = inject("amqpUrl");
const provider = [sqlQuery, sqlAnonymize, sqlAlgorithm];
const steps = {
  exchange: [policyEnforcer, archetypeSelector],
  UVA: provider,
  VU: provider,
  SURF: [sqlAggregate, sqlAlgorithm],
};
let folder: string;

/** Absent values, quotes, text beyond ASCII, fractions: what a way of its own could write otherwise. */
function lineOf(party: string, i: number): string {
  const label = i % 7 === 0 ? "" : `"${party} ""${i}"" é"`;
  return `${i + 1};${label};${(i * 37) % 1_000}.${i % 10};${i % 11 === 0 ? "" : i % 3}\n`;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-inline-"));
  for (const [party, rows] of Object.entries(rowsOf)) {
    const lines = Array.from({ length: rows }, (_, i) => lineOf(party, i));
    await writeFile(join(folder, `Personen_${party}.csv`), `id;label;scale;kind\n${lines.join("")}`);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The limit is one number of this process, and every step of this world runs in it. */
async function withEverythingInline<T>(work: () => Promise<T>): Promise<T> {
  const changeable: { inlineBytesMax: number } = limits;
  const before = changeable.inlineBytesMax;
  changeable.inlineBytesMax = limits.messageBytesMax / 2;
  try {
    return await work();
  } finally {
    changeable.inlineBytesMax = before;
  }
}

interface Bytes {
  readonly wasTransferred: boolean;
  readonly csv: Buffer;
  readonly arrow: Buffer;
}

async function bytesOf(world: World): Promise<Bytes> {
  const sql = "SELECT id, label, scale, kind FROM Personen ORDER BY id";
  const query = { providers: ["UVA", "VU"], sql, options: { aggregate: true } };
  const answer = await answerOver(world.api, query, { timeoutMs: limits.queryTimeoutMsMax });
  expect(answer.problem).toBeUndefined();
  const wasTransferred = answer.results.some(({ result }) => result.table?.transfer !== undefined);
  const of = async (accept: string) => {
    const pieces: Uint8Array[] = [];
    const { bytes } = chooseFormat(answer, { accept, party: undefined }, world.api);
    for await (const piece of bytes(new AbortController().signal)) pieces.push(piece);
    return Buffer.concat(pieces);
  };
  const [csv, arrow] = [await of("text/csv"), await of("application/vnd.apache.arrow.stream")];
  await dropAnswer(answer, world.api);
  return { wasTransferred, csv, arrow };
}

function inlineOrTransferred(connect: (party: string) => Promise<Broker>): void {
  let world: World;
  beforeAll(async () => {
    const environment = { data_dir: folder };
    const documents = [...demoDocuments, personenOf("UVA"), personenOf("VU")];
    world = await openWorld({ documents, steps, environments: { UVA: environment, VU: environment }, connect });
  });
  afterAll(() => world?.close());

  it("answers the same bytes either way, each row once and in order", async () => {
    const transferred = await bytesOf(world);
    const inline = await withEverythingInline(() => bytesOf(world));
    expect([transferred.wasTransferred, inline.wasTransferred]).toEqual([true, false]);
    const lines = transferred.csv.toString().trimEnd().split("\r\n");
    const [head, ...rows] = lines;
    expect(head).toBe("id,label,scale,kind");
    expect(rows).toHaveLength(rowsTotal);
    const ids = Object.values(rowsOf).flatMap((count) => Array.from({ length: count }, (_, i) => String(i + 1)));
    expect(rows.map((row) => row.slice(0, row.indexOf(",")))).toEqual(ids);
    expect(hashOf(transferred.csv)).toBe(hashOf(inline.csv));
    expect(hashOf(transferred.arrow)).toBe(hashOf(inline.arrow));
  }, 240_000);
}

const hashOf = (bytes: Buffer) => `${bytes.length} bytes, ${createHash("sha256").update(bytes).digest("hex")}`;

describe("250,000 rows through the third party, over the in-memory broker", () => {
  const hub = createMemoryExchange();
  inlineOrTransferred(async (party) => hub.connect({ party }));
});

describe.skipIf(amqpUrl === "")("250,000 rows through the third party, over RabbitMQ", () => {
  const prefix = `t${randomUUID()}.`;
  const log = createMemoryLog();
  const queues = Object.entries(steps).flatMap(([party, served]) =>
    ["gather", ...served.map(({ name }) => name)].map((name) => `${party.toLowerCase()}.${name}`),
  );
  afterAll(() => removeAll({ url: amqpUrl, prefix, queues, parties: Object.keys(steps) }));
  inlineOrTransferred((party) => connectAmqp({ url: amqpUrl, party, log, prefix }));
});
