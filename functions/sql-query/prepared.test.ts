/** Queries in workers whose database was opened before they came, in copies of one process and in processes of their own. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataSet, Envelope, Outcome, type Relation } from "#contracts";
import { toJsonTable } from "#data/table-json";
import { evaluate } from "#domain/policy";
import { labelOf } from "#errors";
import { forkBackend } from "#runtime/fork-backend";
import { spawnBackend } from "#runtime/spawn-backend";
import { noChunks } from "#runtime/table-flow";
import type { Worker, WorkerBackend } from "#runtime/worker-backend";
import { approvalEnvironment, signedApproval } from "#testing/approval-keys";
import { changeRelation, wageGapKnowledge, wageGapQuery } from "#testing/wage-gap-knowledge";
import { bundleFunction } from "../../cli/build/bundle-function.ts";
import { rehearsalOf, rehearsalQueries } from "./rehearsal.ts";

const home = join(import.meta.dirname, "../..");
const never = new AbortController().signal;
const canary = "CANARY-7391";
let folder: string;
const backends = new Map<string, WorkerBackend>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dynamos-prepared-"));
  await bundleFunction(join(import.meta.dirname, "handler.ts"), join(folder, "bundle"));
  mkdirSync(join(folder, "data"));
  writeData("Personen_UVA.csv", `Unieknr;Naam;Geheim\n1;Zoë;${canary}\n2;Ab;${canary}\n`);
  const log = { log: () => {}, with: () => log };
  const environment = {
    ...approvalEnvironment,
    NODE_PATH: join(home, "node_modules"),
    data_dir: join(folder, "data"),
    cache_dir: join(folder, "cache"),
    duckdb_memory_mb: "128",
  };
  const options = { workerFile: join(folder, "bundle/worker.js"), environment, heapMb: 128, memoryMb: 512, log };
  backends.set("spawned", spawnBackend({ ...options, startMs: 30_000 }));
  if (process.platform !== "linux") return;
  const forking = forkBackend({ ...options, startMs: 30_000, parentEnvironment: environment, network: false });
  await forking.selfTest();
  backends.set("forked", forking);
}, 60_000);
afterAll(async () => {
  for (const backend of backends.values()) await backend.close();
  rmSync(folder, { recursive: true, force: true });
});

const writeData = (name: string, text: string) => writeFileSync(join(folder, "data", name), text);

function asked(sql: string, relation: Partial<Relation> = {}): Uint8Array {
  const knowledge = wageGapKnowledge();
  const tables = ["Personen", "Broken"].map((name) => ({ name, file: `${name}_UVA.csv` }));
  knowledge.dataSets = [DataSet.fromPartial({ name: "wageGap", party: "UVA", type: "csv", delimiter: ";", tables })];
  changeRelation(knowledge, "UVA", {
    deniedColumns: { tables: [{ table: "Personen", columns: ["Geheim"] }] },
    ...relation,
  });
  const query = wageGapQuery({ sql, providers: ["UVA"] });
  const nowMs = Date.now();
  const { decision } = evaluate(query, "UVA", knowledge, nowMs);
  if (decision?.$case !== "terms") throw new RangeError("UVA refuses");
  const message = { queryId: query.id, query, replyTo: "", attempt: 1, deadlineMs: nowMs + 20_000 };
  const { chain } = rehearsalOf(rehearsalQueries[0], nowMs).envelope;
  const envelope = Envelope.fromPartial({
    ...message,
    party: "UVA",
    step: "sql-query",
    chain: { ...chain, id: "UVA", party: "UVA", archetype: "computeToData", providers: ["UVA"] },
    approvals: [signedApproval(message, { provider: "UVA", terms: decision.value })],
    knowledge,
  } as Envelope);
  return Envelope.encode(envelope).finish();
}

/** Rows, or the label and message of what went wrong. */
async function answer(worker: Worker, envelope: Uint8Array): Promise<unknown> {
  const limits = { deadlineMs: Date.now() + 20_000, signal: never };
  const { decision } = Outcome.decode(
    await worker.call({ envelope, chunks: noChunks(), take: async () => {} }, limits),
  );
  if (decision?.$case === "failure") return `${labelOf(decision.value.code)} ${decision.value.message}`;
  const content = decision?.$case === "forward" ? decision.value.payload?.content : undefined;
  const table = content?.$case === "result" ? content.value.table : undefined;
  return table === undefined ? decision : toJsonTable(table.arrowIpc).rows;
}

describe.each(process.platform === "linux" ? ["forked", "spawned"] : ["spawned"])("a %s worker", (kind) => {
  const started: Worker[] = [];
  const start = async () => {
    const worker = await (backends.get(kind) as WorkerBackend).start(never);
    started.push(worker);
    return worker;
  };
  afterAll(async () => {
    for (const worker of started) worker.kill();
    await Promise.all(started.map(({ gone }) => gone));
  });

  it("has nothing in its database but what its own query may see", async () => {
    const [one, other, third] = [await start(), await start(), await start()];
    const names = "SELECT Naam FROM Personen ORDER BY 1";
    expect(await answer(one, asked(names))).toEqual([["Ab"], ["Zoë"]]);
    // The first one's table would be found here if the two had more in common than an empty database.
    expect(await answer(other, asked("SELECT Naam, Geheim FROM Personen"))).toMatch(/^UNKNOWN_COLUMN /);
    const onlyNumbers = { allowedColumns: { tables: [{ table: "Personen", columns: ["Unieknr"] }] } };
    expect(await answer(third, asked(names, onlyNumbers))).toMatch(/^UNKNOWN_COLUMN /);
    expect(await answer(await start(), asked("SELECT * FROM Persons"))).toMatch(/^UNKNOWN_TABLE /);
    expect(await answer(await start(), asked("SELECT * FROM duckdb_tables()"))).toMatch(/^SQL_REFUSED /);
  });

  it("reads its files when it is called, however long it has been ready", async () => {
    const [waiting, later] = [await start(), await start()];
    const before = readFileSync(join(folder, "data/Personen_UVA.csv"), "utf8");
    try {
      writeData("Personen_UVA.csv", "Unieknr;Naam;Geheim\n3;Eva;x\n");
      expect(await answer(waiting, asked("SELECT Naam FROM Personen"))).toEqual([["Eva"]]);
    } finally {
      writeData("Personen_UVA.csv", before);
    }
    expect(await answer(later, asked("SELECT count(*) AS n FROM Personen"))).toEqual([[2]]);
  });

  it("becomes ready without its data, and says at the call what is wrong with it", async () => {
    const [one, other, third] = [await start(), await start(), await start()];
    const broken = asked("SELECT * FROM Broken");
    expect(await answer(one, broken)).toBe("DATA_UNREADABLE the data file Broken_UVA.csv is not there");
    writeData("Broken_UVA.csv", 'a;b\n1;"2\n');
    expect(await answer(other, broken)).toMatch(/^DATA_UNREADABLE Broken_UVA.csv, row 2.*a quote is not closed/);
    rmSync(join(folder, "data/Broken_UVA.csv"));
    expect(await answer(third, asked("SELECT count(*) AS n FROM Personen"))).toEqual([[2]]);
  });
});
