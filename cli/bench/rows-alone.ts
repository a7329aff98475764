/**
 * Thirty thousand rows from the engine through a socket to an average, beside what no encoding can save: the engine's
 * own time for the query, and one copy of the same bytes over the same socket. One process, one thread of the engine;
 * both ways take turns.
 */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Query, Table } from "#contracts";
import { type DuckDBConnection, openEngine } from "#data/duckdb";
import { queryResult } from "#data/duckdb-table";
import { tableSink } from "#data/table-sink";
import { limits } from "#domain/limits";
import { type Frame, FrameReader, frameKinds, writeFrame } from "#runtime/frame";
import { forwardedTable, tableEnvelope } from "#testing/made-table";
import algorithm from "../../functions/sql-algorithm/handler.ts";
import type { BenchResult, Cell } from "./bench-result.ts";
import { median } from "./statistics.ts";

export interface RowsAloneOptions {
  readonly rows: number;
  readonly rounds: number;
}

interface Pipe {
  send(kind: Frame["kind"], body: Uint8Array): Promise<void>;
  /** All frames up to one that is no chunk. */
  received(): Promise<readonly Frame[]>;
  close(): Promise<void>;
}

const queries = {
  scan: "SELECT Unieknr, Geslacht, Salschal, Uren FROM Aanstellingen",
  join: "SELECT a.Unieknr, p.Geslacht, a.Salschal, a.Uren FROM Personen p JOIN Aanstellingen a ON p.Unieknr = a.Unieknr",
} as const;

export async function benchRowsAlone(options: RowsAloneOptions, say: (line: string) => void): Promise<BenchResult> {
  const engine = await openEngine({ memoryMb: 1_024, threads: 1 });
  const pipe = await openPipe();
  try {
    const expected = await fill(engine.connection, options.rows);
    let wrong = 0;
    const lines: Cell[][] = [];
    for (const [name, sql] of Object.entries(queries)) {
      say(`${options.rows} rows, ${options.rounds} rounds: ${name}`);
      const alone: number[] = [];
      const typed: number[] = [];
      let sent = 0;
      for (let round = -2; round < options.rounds; round++) {
        const startedMs = performance.now();
        const done = await averaged(engine.connection, sql, pipe);
        const typedMs = performance.now() - startedMs;
        if (JSON.stringify(done.answer) !== JSON.stringify(expected)) wrong += 1;
        const bytes = Buffer.alloc(done.bytes, 1);
        const againMs = performance.now();
        await copied(engine.connection, sql, bytes, pipe);
        const aloneMs = performance.now() - againMs;
        sent = done.bytes;
        // The first rounds are for the compiler.
        if (round < 0) continue;
        typed.push(typedMs);
        alone.push(aloneMs);
      }
      const ratio = median(typed.map((ms, i) => ms / (alone[i] ?? Number.NaN)));
      const mib = two(sent / 1_048_576);
      lines.push([name, options.rows, mib, two(median(alone)), two(median(typed)), two(ratio)]);
    }
    return resultOf(lines, wrong, options);
  } finally {
    engine.close();
    await pipe.close();
  }
}

function resultOf(lines: readonly Cell[][], wrong: number, { rounds }: RowsAloneOptions): BenchResult {
  return {
    title: "Rows, beside what no encoding can save",
    about: `From the engine through a socket to the average by group at the other end, in one process with one thread of the engine, beside the engine's own time for the query and one copy of the same bytes over the same socket, alone. ${rounds} rounds in turns.`,
    limit: "The engine and the copy themselves, for the most part; the rest is the columns' way into bytes and back.",
    wrong,
    remarks: [],
    figures: Object.fromEntries(lines.map((line) => [`${line[0]} : alone`, Number(line[5])])),
    tables: [{ title: "", columns: ["query", "rows", "MiB", "alone ms", "all ms", "times alone"], rows: lines }],
    plots: [],
  };
}

/** The query, its table's bytes through the socket, and `sql-algorithm` over what comes out. */
async function averaged(connection: DuckDBConnection, sql: string, pipe: Pipe) {
  const received = pipe.received();
  const { schema, batches } = await queryResult(connection, sql, []);
  const sink = tableSink(schema, (bytes) => pipe.send(frameKinds.chunk, bytes));
  for await (const batch of batches()) await sink.write(batch);
  // A session ends with its one result; here others follow.
  await connection.run("COMMIT");
  await pipe.send(frameKinds.reply, Table.encode(await sink.finish({})).finish());
  const frames = await received;
  const chunks = frames.slice(0, -1).map(({ body }) => body);
  const table = Table.decode(frames.at(-1)?.body ?? new Uint8Array());
  const query = Query.fromPartial({ algorithm: { name: "average", column: "Salschal", groupBy: ["Geslacht"] } });
  const envelope = tableEnvelope({ UVA: table }, { query });
  const flow = { bytesOf: () => bytesOf(table, chunks), emit: async () => {} };
  const context = { environment: {}, now: () => 0, temporaryFolder: "" };
  const outcome = algorithm.decide(envelope, await algorithm.facts(envelope, context, flow));
  return { answer: forwardedTable(outcome).rows, bytes: frames.reduce((sum, { body }) => sum + body.length, 0) };
}

async function* bytesOf(table: Table, chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  if (table.transfer === undefined) yield table.arrowIpc;
  else yield* chunks;
}

/** The same query, whose rows nobody reads, and bytes that mean nothing. */
async function copied(connection: DuckDBConnection, sql: string, bytes: Uint8Array, pipe: Pipe): Promise<void> {
  const received = pipe.received();
  const result = await connection.stream(sql);
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
  }
  await pipe.send(frameKinds.reply, bytes);
  await received;
}

/** @returns the answer to expect */
async function fill(connection: DuckDBConnection, rows: number): Promise<unknown[][]> {
  const id = "(1000000 + i)::VARCHAR AS Unieknr";
  const gender = "CASE WHEN i % 2 = 0 THEN 'M' ELSE 'V' END AS Geslacht";
  const numbers = "1 + (i * 7) % 18 AS Salschal, ((i * 13) % 41)::DOUBLE AS Uren";
  await connection.run(`CREATE TABLE Personen AS SELECT ${id}, ${gender} FROM range(${rows}) r(i)`);
  await connection.run(`CREATE TABLE Aanstellingen AS SELECT ${id}, ${gender}, ${numbers} FROM range(${rows}) r(i)`);
  return ["M", "V"].map((name, odd) => {
    const scales = Array.from({ length: rows }, (_, i) => i)
      .filter((i) => i % 2 === odd)
      .map((i) => 1 + ((i * 7) % 18));
    return [name, scales.reduce((sum, scale) => sum + scale, 0) / scales.length, scales.length];
  });
}

async function openPipe(): Promise<Pipe> {
  const folder = await mkdtemp(join(tmpdir(), "rows-alone-"));
  const path = join(folder, "socket");
  const server = createServer().listen(path);
  await once(server, "listening");
  const sender = connect(path);
  const [receiver] = (await once(server, "connection")) as [Socket];
  return {
    send: (kind, body) => writeFrame(sender, kind as typeof frameKinds.chunk, body),
    received: () => framesFrom(receiver),
    close: async () => {
      sender.destroy();
      receiver.destroy();
      server.close();
      await rm(folder, { recursive: true });
    },
  };
}

function framesFrom(socket: Socket): Promise<readonly Frame[]> {
  const reader = new FrameReader(limits.messageBytesMax);
  const frames: Frame[] = [];
  return new Promise((resolve, reject) => {
    socket.on("data", (chunk: Uint8Array) => {
      try {
        frames.push(...reader.push(chunk));
      } catch (error) {
        reject(error);
      }
      if (frames.at(-1)?.kind !== frameKinds.reply) return;
      socket.removeAllListeners("data");
      resolve(frames);
    });
  });
}

function two(value: number): number {
  return Math.round(value * 100) / 100;
}
