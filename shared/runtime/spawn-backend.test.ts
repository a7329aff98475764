import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Envelope } from "#contracts";
import { labelOf } from "#errors";
import { bundleFunction } from "../../cli/build/bundle-function.ts";
import { FrameReader, frameKinds, frameParts } from "./frame.ts";
import { jsonLog } from "./json-log.ts";
import { spawnBackend } from "./spawn-backend.ts";
import { noChunks } from "./table-flow.ts";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dynamos-test-"));
  await bundleFunction(join(import.meta.dirname, "testing-steps/misbehave.ts"), folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const lines: string[] = [];
const log = jsonLog({}, (line) => lines.push(line));

function open(workerFile = join(folder, "worker.js"), startMs = 10_000) {
  return spawnBackend({ workerFile, environment: {}, heapMb: 64, memoryMb: 256, startMs, log });
}

function script(text: string): string {
  const file = join(folder, `${text.length}.cjs`);
  writeFileSync(file, text);
  return file;
}

const never = new AbortController().signal;
const envelope = (sql: string) => Envelope.encode(Envelope.fromPartial({ step: "misbehave", query: { sql } })).finish();
const callOf = (bytes: Uint8Array) => ({ envelope: bytes, chunks: noChunks(), take: async () => {} });
const soon = () => ({ deadlineMs: Date.now() + 5_000, signal: never });
const isAlive = (pid: number) =>
  existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));

describe("a spawned worker", () => {
  it("that never says ready fails its start in time", async () => {
    const backend = open(script("setTimeout(() => {}, 1e6);"), 300);
    await expect(backend.start(never)).rejects.toMatchObject({
      label: "FUNCTION_UNAVAILABLE",
      cause: { message: "a worker did not become ready within 300 ms" },
    });
    await backend.close();
  });

  it("that dies before it is ready fails its start with how it ended", async () => {
    const backend = open(script("process.exit(4)"));
    await expect(backend.start(never)).rejects.toMatchObject({
      cause: { message: "the worker ended with exit code 4" },
    });
    await backend.close();
  });

  it("that starts while the pool closes is killed", async () => {
    const backend = open(script("setTimeout(() => {}, 2e6)"));
    const stop = new AbortController();
    const start = backend.start(stop.signal).catch((error) => labelOf(error.code));
    stop.abort();
    expect(await start).toBe("FUNCTION_UNAVAILABLE");
    await backend.close();
  });

  it("speaks one frame protocol or is killed", async () => {
    const backend = open(script("require('fs').writeSync(3, Buffer.alloc(5, 255))"));
    await expect(backend.start(never)).rejects.toMatchObject({
      cause: { message: "the worker broke the frame protocol" },
    });
    await backend.close();
  });

  it("can be called once", async () => {
    const backend = open();
    const worker = await backend.start(never);
    await worker.call(callOf(envelope("answer")), soon());
    await expect(worker.call(callOf(envelope("answer")), soon())).rejects.toMatchObject({ label: "WORKER_CRASHED" });
    worker.kill();
    await worker.gone;
    await backend.close();
  });

  it("leaves neither process nor folder", async () => {
    const before = readdirSync(tmpdir());
    const backend = open();
    const workers = await Promise.all([backend.start(never), backend.start(never)]);
    expect(workers.map(({ pid }) => isAlive(pid))).toEqual([true, true]);
    for (const worker of workers) worker.kill();
    await Promise.all(workers.map(({ gone }) => gone));
    expect(workers.map(({ pid }) => isAlive(pid))).toEqual([false, false]);
    await backend.close();
    const ours = new RegExp(`^dynamos-\\d+-${process.pid}-`);
    expect(readdirSync(tmpdir()).filter((name) => ours.test(name) && !before.includes(name))).toEqual([]);
  });

  it("takes along what its step has started", async () => {
    const backend = open(
      script(`
      const child = require("child_process").spawn("sleep", ["1000"], { stdio: "ignore" });
      console.log("child " + child.pid);
      setTimeout(() => {}, 3e6);`),
      1_500,
    );
    await expect(backend.start(never)).rejects.toMatchObject({ label: "FUNCTION_UNAVAILABLE" });
    const pid = Number(/child (\d+)/.exec(lines.join())?.[1]);
    expect(pid).toBeGreaterThan(0);
    await expect.poll(() => isAlive(pid)).toBe(false);
    await backend.close();
  });
});

describe("a worker by itself", () => {
  it("ends without serving when a second envelope comes", async () => {
    const { child, door, frames } = startByHand();
    await expect.poll(() => frames.at(-1), { timeout: 5_000 }).toBe(frameKinds.ready);
    for (const sql of ["hang", "answer"])
      for (const part of frameParts(frameKinds.call, envelope(sql))) door.write(part);
    expect(await new Promise((done) => child.once("exit", done))).toBe(97);
    expect(frames).not.toContain(frameKinds.reply);
  });

  it("ends when its door closes the connection", async () => {
    const { child, door, frames } = startByHand();
    await expect.poll(() => frames.at(-1), { timeout: 5_000 }).toBe(frameKinds.ready);
    door.destroy();
    expect(await new Promise((done) => child.once("exit", done))).toBe(0);
  });
});

/** The door's side without the door: echoes the rehearsal and notes each kind of frame. */
function startByHand(): { child: ChildProcess; door: Duplex; frames: number[] } {
  const child = spawn(process.execPath, [join(folder, "worker.js")], {
    cwd: folder,
    env: { TMPDIR: folder },
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const door = child.stdio[3] as Duplex;
  const frames: number[] = [];
  const reader = new FrameReader(1_000_000);
  door.on("error", () => {});
  door.on("data", (chunk: Buffer) => {
    for (const { kind, body } of reader.push(chunk)) {
      frames.push(kind);
      if (kind === frameKinds.rehearsal) for (const part of frameParts(kind, body)) door.write(part);
    }
  });
  return { child, door, frames };
}
