import { afterEach, describe, expect, it } from "vitest";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError, labelOf } from "#errors";
import { jsonLog } from "./json-log.ts";
import { noChunks } from "./table-flow.ts";
import type { Worker, WorkerBackend } from "./worker-backend.ts";
import { WorkerPool, type WorkerPoolOptions } from "./worker-pool.ts";

/** A worker without a process. It answers with its own pid when `release` is called. */
class FakeWorker implements Worker {
  readonly id: string;
  calls = 0;
  killed = false;
  end = () => {};
  release = () => {};
  readonly gone = new Promise<void>((resolve) => {
    this.end = resolve;
  });
  constructor(readonly pid: number) {
    this.id = `${pid}-fake`;
  }
  call(): Promise<Uint8Array> {
    this.calls++;
    return new Promise((resolve) => {
      this.release = () => resolve(new Uint8Array([this.pid]));
    });
  }
  kill() {
    this.killed = true;
    this.end();
  }
}

class FakeBackend implements WorkerBackend {
  readonly name = "fake";
  readonly workers: FakeWorker[] = [];
  failing = false;
  starting = 0;
  startingMax = 0;
  closed = false;
  async start(): Promise<Worker> {
    this.startingMax = Math.max(this.startingMax, ++this.starting);
    await new Promise((resume) => setTimeout(resume, 2));
    this.starting--;
    if (this.failing) throw new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, "a worker did not start");
    const worker = new FakeWorker(this.workers.length + 1);
    this.workers.push(worker);
    return worker;
  }
  async close() {
    this.closed = true;
  }
  get alive() {
    return this.workers.filter(({ killed }) => !killed);
  }
  get called() {
    return this.alive.filter(({ calls }) => calls > 0);
  }
}

const pools: WorkerPool[] = [];
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())));

function open(backend: FakeBackend, options: Partial<WorkerPoolOptions> = {}) {
  const log = jsonLog({}, () => {});
  const pool = new WorkerPool({ backend, poolSize: 2, concurrency: 2, callersWaiting: 1, log, ...options });
  pools.push(pool);
  return pool;
}

const invoke = (pool: WorkerPool, { deadlineMs = Date.now() + 5_000, signal = new AbortController().signal } = {}) =>
  pool.invoke({ envelope: new Uint8Array(0), chunks: noChunks(), take: async () => {} }, { deadlineMs, signal });
const code = (call: Promise<unknown>) => call.then(() => "OK").catch((error) => labelOf(error.code));

describe("the pool", () => {
  it("starts as many workers as it keeps ready, few at once, and is ready with the first", async () => {
    const backend = new FakeBackend();
    const pool = open(backend, { poolSize: 5 });
    expect(pool.isReady()).toBe(false);
    await expect.poll(() => backend.workers.length).toBe(5);
    expect(pool.isReady()).toBe(true);
    expect(backend.startingMax).toBe(limits.workerStartsAtOnceMax);
  });

  it("gives each worker one call, kills it after the reply and starts another", async () => {
    const backend = new FakeBackend();
    const pool = open(backend, { poolSize: 1 });
    const seen: string[] = [];
    for (let i = 0; i < 3; i++) {
      const call = invoke(pool);
      await expect.poll(() => backend.called.length).toBe(1);
      for (const worker of backend.called) worker.release();
      seen.push((await call).worker);
      await expect.poll(() => backend.called.length).toBe(0);
    }
    expect(new Set(seen).size).toBe(3);
    expect(backend.workers.map(({ calls }) => calls).every((calls) => calls <= 1)).toBe(true);
    await expect.poll(() => backend.alive.length).toBe(1);
  });

  it("runs no more at once than its concurrency, lets one wait and refuses the next", async () => {
    const backend = new FakeBackend();
    const pool = open(backend, { poolSize: 4 });
    await expect.poll(() => backend.workers.length).toBe(4);
    const calls = [invoke(pool), invoke(pool), invoke(pool)].map(code);
    expect(await code(invoke(pool))).toBe("OVERLOADED");
    expect(backend.called.length).toBe(2);
    for (let i = 0; i < 3; i++) {
      await expect.poll(() => backend.called.length).toBeGreaterThan(0);
      backend.called[0]?.release();
      await expect.poll(() => backend.workers.filter(({ killed, calls }) => killed && calls > 0).length).toBe(i + 1);
    }
    expect(await Promise.all(calls)).toEqual(["OK", "OK", "OK"]);
  });

  it("tells callers when no worker starts, slows down, and recovers", async () => {
    const backend = new FakeBackend();
    backend.failing = true;
    const lines: string[] = [];
    const pool = open(backend, { log: jsonLog({}, (line) => lines.push(line)) });
    expect(await code(invoke(pool))).toBe("FUNCTION_UNAVAILABLE");
    expect(await code(invoke(pool))).toBe("FUNCTION_UNAVAILABLE");
    expect(pool.isReady()).toBe(false);
    expect(lines.join()).toContain("a worker did not start");
    backend.failing = false;
    await expect.poll(() => pool.isReady(), { timeout: 5_000 }).toBe(true);
    // Back-off doubles from 100 ms: a handful of starts, not hundreds.
    expect(lines.length).toBeLessThan(10);
  });

  it("replaces a worker that dies while it waits", async () => {
    const backend = new FakeBackend();
    const pool = open(backend, { poolSize: 1 });
    await expect.poll(() => backend.workers.length).toBe(1);
    backend.workers[0]?.kill();
    await expect.poll(() => backend.alive.length).toBe(1);
    const call = code(invoke(pool));
    await expect.poll(() => backend.called.length).toBe(1);
    backend.called[0]?.release();
    expect(await call).toBe("OK");
  });

  it("leaves no worker when it closes, and serves nobody after", async () => {
    const backend = new FakeBackend();
    const pool = open(backend, { poolSize: 3 });
    await expect.poll(() => backend.workers.length).toBe(3);
    await pool.close();
    expect([backend.alive.length, backend.closed]).toEqual([0, true]);
    expect(await code(invoke(pool))).toBe("FUNCTION_UNAVAILABLE");
  });
});
