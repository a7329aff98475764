/** What workers must be whoever starts them. Runs for the backend that spawns and for the one that forks. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Envelope, Outcome } from "#contracts";
import { encodeChunk } from "#contracts/pieces";
import { labelOf } from "#errors";
import type { SpawnBackendOptions } from "#runtime/spawn-backend";
import type { Call } from "#runtime/step-invoker";
import { noChunks } from "#runtime/table-flow";
import type { Worker, WorkerBackend } from "#runtime/worker-backend";
import { bundleFunction } from "../../cli/build/bundle-function.ts";

const never = new AbortController().signal;
export const soon = (ms = 10_000) => ({ deadlineMs: Date.now() + ms, signal: never });

export function callFor(
  step: string,
  { queryId = "q1", sql = "", ...more }: Partial<Call> & EnvelopeChange = {},
): Call {
  const envelope = Envelope.encode(Envelope.fromPartial({ queryId, step, query: { sql } })).finish();
  return { envelope, chunks: noChunks(), take: async () => {}, ...more };
}

interface EnvelopeChange {
  readonly queryId?: string;
  readonly sql?: string;
}

/** What a testing step found and says in its document. */
export function documentOf(outcome: Uint8Array) {
  const { decision } = Outcome.decode(outcome);
  const content = decision?.$case === "forward" ? decision.value.payload?.content : undefined;
  return content?.$case === "result" ? JSON.parse(String(content.value.document?.body)) : decision;
}

/** A process that has ended but whose parent has not asked (state Z) is no more than its name. */
export const isAlive = (pid: number) =>
  existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));

export function workerBackendContract(open: (options: SpawnBackendOptions) => WorkerBackend): void {
  const backends = new Map<string, WorkerBackend>();
  let folder: string;

  async function backendFor(step: string): Promise<WorkerBackend> {
    const known = backends.get(step);
    if (known !== undefined) return known;
    const target = join(folder, step);
    await bundleFunction(join(import.meta.dirname, `../runtime/testing-steps/${step}.ts`), target);
    const log = { log: () => {}, with: () => log };
    const limits = { heapMb: 48, memoryMb: 160, startMs: 15_000 };
    const backend = open({ workerFile: join(target, "worker.js"), environment: { party: "UVA" }, log, ...limits });
    backends.set(step, backend);
    return backend;
  }

  async function once<Result>(step: string, use: (worker: Worker) => Promise<Result>): Promise<Result> {
    const worker = await (await backendFor(step)).start(never);
    try {
      return await use(worker);
    } finally {
      worker.kill();
      await worker.gone;
    }
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "dynamos-test-"));
  });
  afterAll(async () => {
    for (const backend of backends.values()) await backend.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("finds nothing of the one before: no global, no file, no environment", async () => {
    for (let i = 0; i < 4; i++) {
      const outcome = await once("tell-tale", (worker) =>
        worker.call(callFor("tell-tale", { queryId: `q${i}` }), soon()),
      );
      expect(documentOf(outcome)).toEqual({ files: [], workingFolder: [], module: 0, arguments: [] });
    }
  });

  it("is a process of its own, gone with its folder when it is killed", async () => {
    const backend = await backendFor("tell-tale");
    const workers = await Promise.all([backend.start(never), backend.start(never), backend.start(never)]);
    expect(new Set(workers.map(({ pid }) => pid)).size).toBe(3);
    expect(workers.map(({ pid }) => isAlive(pid))).toEqual([true, true, true]);
    for (const worker of workers) worker.kill();
    await Promise.all(workers.map(({ gone }) => gone));
    expect(workers.map(({ pid }) => isAlive(pid))).toEqual([false, false, false]);
    const left = readdirSync(tmpdir())
      .filter((name) => new RegExp(`^dynamos-\\d+-${process.pid}-`).test(name))
      .flatMap((name) => readdirSync(join(tmpdir(), name)));
    expect(left.length).toBeLessThanOrEqual(3);
  });

  it.each([
    ["crash", "WORKER_CRASHED", "the worker ended with exit code 3"],
    ["kill", "WORKER_CRASHED", "the worker ended by signal SIGSEGV"],
    ["heap", "WORKER_OUT_OF_MEMORY", "the worker reached its heap limit"],
    ["buffers", "WORKER_OUT_OF_MEMORY", "the worker needed more than its 160 MB of memory"],
  ])("says how a step ended that goes wrong by %s", async (sql, label, message) => {
    const call = once("misbehave", (worker) => worker.call(callFor("misbehave", { sql }), soon()));
    await expect(call).rejects.toMatchObject({ label, message });
  });

  it.each(["hang", "spin"])("is killed at its deadline when it does not end (%s)", async (sql) => {
    const call = once("misbehave", (worker) => worker.call(callFor("misbehave", { sql }), soon(300)));
    await expect(call).rejects.toMatchObject({ label: "DEADLINE_EXCEEDED" });
  });

  it("writes no more than its allowance and answers all the same", async () => {
    const outcome = await once("misbehave", (worker) => worker.call(callFor("misbehave", { sql: "chat" }), soon()));
    expect(documentOf(outcome)).toMatchObject({ value: { message: "it went right" } });
  });

  it("can be called once", async () => {
    await once("misbehave", async (worker) => {
      await worker.call(callFor("misbehave"), soon());
      await expect(worker.call(callFor("misbehave"), soon())).rejects.toMatchObject({ label: "WORKER_CRASHED" });
    });
  });

  it("that starts while the pool closes is killed", async () => {
    const stop = new AbortController();
    const start = (await backendFor("misbehave")).start(stop.signal);
    stop.abort();
    expect(await start.then(() => "started").catch((error) => labelOf(error.code))).toBe("FUNCTION_UNAVAILABLE");
  });

  describe("with a table in pieces", () => {
    const envelope = () => {
      const transfer = { name: "", chunks: 1, bytes: 1, sha256: Buffer.alloc(0) };
      const value = { table: { arrowIpc: Buffer.alloc(0), rows: 1, transfer }, chart: undefined, document: undefined };
      const input = { provider: "UVA", payload: { content: { $case: "result" as const, value } } };
      return Envelope.encode(Envelope.fromPartial({ step: "pass-on", inputs: [input] })).finish();
    };
    async function* pieces(count: number, made: () => void = () => {}) {
      for (let i = 0; i < count; i++) {
        made();
        yield encodeChunk(0, Buffer.alloc(100_000, i));
      }
    }

    it("takes all of it and gives all of it back, in order", async () => {
      const got: Uint8Array[] = [];
      const take = async (chunk: Uint8Array) => void got.push(chunk);
      await once("pass-on", (worker) => worker.call({ envelope: envelope(), chunks: pieces(300), take }, soon()));
      const sent: Uint8Array[] = [];
      for await (const piece of pieces(300)) sent.push(piece);
      expect(Buffer.compare(Buffer.concat(got), Buffer.concat(sent))).toBe(0);
    });

    it("takes no more of it than there is room for", async () => {
      let made = 0;
      const chunks = pieces(4_000, () => made++);
      const take = () => new Promise<void>(() => {});
      const call = once("pass-on", (worker) => worker.call({ envelope: envelope(), chunks, take }, soon(900)));
      await expect(call).rejects.toMatchObject({ label: "DEADLINE_EXCEEDED" });
      expect(made).toBeLessThan(400);
    });
  });
}
