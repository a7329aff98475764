import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { limits } from "#domain/limits";
import { callFor, documentOf, soon } from "#testing/worker-backend-contract";
import { bundleFunction } from "../../cli/build/bundle-function.ts";
import { type ChosenBackendOptions, chosenBackend } from "./chosen-backend.ts";
import { type ForkBackend, forkBackend } from "./fork-backend.ts";
import { jsonLog } from "./json-log.ts";
import { spawnBackend } from "./spawn-backend.ts";
import type { WorkerBackend } from "./worker-backend.ts";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dynamos-test-"));
  await bundleFunction(join(import.meta.dirname, "testing-steps/misbehave.ts"), folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const opened: WorkerBackend[] = [];
afterEach(() => Promise.all(opened.splice(0).map((backend) => backend.close())));

interface Change extends Partial<ChosenBackendOptions> {
  readonly workerFile?: string;
  /** For a forked one. */
  readonly startMs?: number;
}

function open({ workerFile = join(folder, "worker.js"), startMs = 8_000, ...change }: Change = {}) {
  const lines: { message: string; backend?: string; why?: string; rights?: string; reason?: string }[] = [];
  const log = jsonLog({}, (line) => lines.push(JSON.parse(line)));
  const options = { environment: {}, heapMb: 64, memoryMb: 256, startMs: 8_000, log };
  const parts: { fork?: ForkBackend } = {};
  const backend = chosenBackend({
    setting: "auto",
    fork: () => {
      parts.fork = forkBackend({ ...options, startMs, workerFile, parentEnvironment: {}, network: false });
      return parts.fork;
    },
    spawn: () => spawnBackend({ ...options, workerFile: join(folder, "worker.js") }),
    log,
    ...change,
  });
  opened.push(backend);
  return { backend, lines, parts, choices: () => lines.filter((line) => line.backend !== undefined) };
}

async function answer(backend: WorkerBackend, sql = "answer") {
  const worker = await backend.start(new AbortController().signal);
  try {
    return documentOf(await worker.call(callFor("misbehave", { sql }), soon())).value.message;
  } finally {
    worker.kill();
    await worker.gone;
  }
}

function without(native: string | undefined, name: string): string {
  const alone = mkdtempSync(join(folder, name));
  const file = join(alone, "worker.js");
  writeFileSync(file, `require(${JSON.stringify(join(folder, "worker.js"))});`);
  if (native !== undefined) writeFileSync(join(alone, "koffi.node"), native);
  return file;
}

describe("the kind of workers", () => {
  it("is forked where that is sound, said in one line with what they give up", async () => {
    const { backend, choices } = open();
    expect(await answer(backend)).toBe("it went right");
    expect(choices()).toMatchObject([{ backend: "fork", rights: expect.stringContaining("no-new-privs") }]);
    expect(choices()[0]?.why).toMatch(/^the self-test passed in \d+ ms$/);
  });

  it("is spawned when that is asked for", async () => {
    const { backend, choices } = open({ setting: "spawn" });
    expect(await answer(backend)).toBe("it went right");
    expect(choices()).toMatchObject([{ backend: "spawn", why: "worker_backend is spawn" }]);
  });

  it.each([
    ["koffi is not beside the bundle", () => without(undefined, "absent-")],
    ["koffi can't be loaded", () => without("not a library", "broken-")],
  ])("is spawned when %s, and says why", async (_, file) => {
    const { backend, choices } = open({ workerFile: file() });
    expect(await answer(backend)).toBe("it went right");
    expect(choices()).toMatchObject([{ backend: "spawn", why: expect.stringContaining("forking is not sound here") }]);
    expect(choices()[0]?.why).toContain("koffi.node");
  });

  it("stays when the parent dies: each call is answered, and another parent takes its place", async () => {
    const { backend, parts, choices } = open();
    await answer(backend);
    const before = parts.fork?.parentPid ?? 0;
    process.kill(before, "SIGKILL");
    for (let i = 0; i < 3; i++) expect(await answer(backend)).toBe("it went right");
    expect(parts.fork?.parentPid).not.toBe(before);
    expect(choices().map((line) => line.backend)).toEqual(["fork"]);
  });

  it("is spawned from the third death in a row that no step causes", async () => {
    const { backend, choices } = open();
    for (let death = 0; death < limits.forkFailuresMax; death++) {
      await expect(answer(backend, "kill")).rejects.toMatchObject({ label: "WORKER_CRASHED" });
    }
    expect(await answer(backend)).toBe("it went right");
    expect(choices().map((line) => line.backend)).toEqual(["fork", "spawn"]);
    expect(choices()[1]?.why).toContain("3 times in a row");
  });

  describe("where the self-test fails", () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
    afterEach(() => void vi.useRealTimers());

    function openFailing(reason: string) {
      const stub = (name: string) => ({
        name,
        rights: "none",
        start: async () => ({ id: name, call: async () => new Uint8Array(0), kill: () => {} }),
        close: async () => {},
      });
      const selfTest = vi.fn().mockRejectedValueOnce(new Error(reason)).mockRejectedValueOnce(new Error(reason));
      const fork = () => ({ ...stub("fork"), selfTest }) as never as ForkBackend;
      const { backend, choices } = open({ fork, spawn: () => stub("spawn") as never as WorkerBackend });
      return { choices, selfTest, kind: async () => (await backend.start(new AbortController().signal)).id };
    }

    it("for want of time, forking is tried again, each time after twice as long", async () => {
      const { choices, selfTest, kind } = openFailing("a worker did not become ready within 8000 ms");
      expect(await kind()).toBe("spawn");
      await vi.advanceTimersByTimeAsync(limits.forkRetryFirstMs);
      expect(await kind()).toBe("spawn");
      await vi.advanceTimersByTimeAsync(limits.forkRetryFirstMs);
      expect(selfTest).toHaveBeenCalledTimes(2);
      await vi.advanceTimersByTimeAsync(limits.forkRetryFirstMs);
      expect(await kind()).toBe("fork");
      expect(choices().map((line) => line.backend)).toEqual(["spawn", "fork"]);
    });

    it.each(["the fork server ended by SIGSEGV", "crypto do not work in a forked process"])(
      "because %s, it is not",
      async (reason) => {
        const { selfTest, kind } = openFailing(reason);
        expect(await kind()).toBe("spawn");
        await vi.advanceTimersByTimeAsync(limits.forkRetryFirstMs * 100);
        expect(await kind()).toBe("spawn");
        expect(selfTest).toHaveBeenCalledTimes(1);
      },
    );
  });

  it("is spawned where a start takes too long, with words that a later try is decided by", async () => {
    const { backend, choices } = open({ startMs: 1 });
    expect(await answer(backend)).toBe("it went right");
    expect(choices()[0]?.why).toMatch(/did not (become ready|connect)|by SIGKILL$/);
  });

  it("spawns, and says why, where a socket's path would be too long", async () => {
    const deep = mkdtempSync(join(folder, "d".repeat(60)));
    vi.stubEnv("TMPDIR", deep);
    try {
      const { backend, choices } = open();
      expect(await answer(backend)).toBeDefined();
      expect(choices()[0]).toMatchObject({ backend: "spawn", why: expect.stringContaining("set a shorter TMPDIR") });
      await backend.close();
      expect(readdirSync(deep)).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});
