/** A plain handler behind its door: a fresh process for each call. */
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StartedBundle } from "#testing/started-bundle";
import { startPlain } from "#testing/started-plain";
import { runPlainWorker } from "./plain-worker.ts";

/** By its path: what the call is to do. Leaves a trace wherever it can. */
const handler = `
"use strict";
const fs = require("fs");
let calls = 0;
module.exports = async (event, context) => {
  calls += 1;
  globalThis.seen = (globalThis.seen || 0) + 1;
  process.env.SEEN = (process.env.SEEN || "") + "x";
  fs.appendFileSync(process.env.TMPDIR + "/seen", "x");
  const state = [calls, globalThis.seen, process.env.SEEN, fs.readFileSync(process.env.TMPDIR + "/seen", "utf8")];
  switch (event.path) {
    case "/state": return { pid: process.pid, state, setting: process.env.my_setting };
    case "/exit": process.exit(0);
    case "/hang": return new Promise(() => {});
    case "/throw": throw new Error("a secret value");
    case "/twice": context.succeed("once"); context.succeed("twice"); return;
    case "/late": setTimeout(() => { throw new Error("a late secret") }, 5); return new Promise(() => {});
    case "/slow": await new Promise((go) => setTimeout(go, 600)); return "slow";
    case "/size": return { bytes: event.body.length, buffer: Buffer.isBuffer(event.body) };
    default: return { method: event.method, body: event.body };
  }
};`;
let fn: StartedBundle;
beforeAll(async () => {
  fn = await startPlain(
    { "handler.js": handler },
    { exec_timeout: "2s", MAX_JSON_SIZE: "1kb", MAX_RAW_SIZE: "5mb", my_setting: "m" },
  );
}, 30_000);
afterAll(() => fn?.stop());

const get = async (path: string, init?: RequestInit) => {
  const response = await fetch(`${fn.url}${path}`, init);
  return { status: response.status, response, text: await response.text() };
};

it("gives each call a process that has seen none before, with the function's settings", async () => {
  const answers = [];
  for (let i = 0; i < 3; i += 1) answers.push(JSON.parse((await get("/state")).text));
  expect(answers.map(({ state }) => state)).toEqual(Array(3).fill([1, 1, "x", "x"]));
  expect(new Set(answers.map(({ pid }) => pid)).size).toBe(3);
  expect(answers[0].setting).toBe("m");
});

it("keeps calls that run at once apart", async () => {
  const all = await Promise.all(Array.from({ length: 8 }, () => get("/state")));
  expect(new Set(all.map(({ text }) => JSON.parse(text).pid)).size).toBe(8);
});

describe("a handler that goes wrong", () => {
  it("and throws is a 500 without a word of it, which is in the log", async () => {
    const { status, text, response } = await get("/throw");
    expect([status, response.headers.get("content-type")]).toEqual([500, "application/problem+json"]);
    expect(text).not.toMatch(/secret|at .*\.js/);
    await expect.poll(() => fn.log()).toContain("a secret value");
  });

  it.each(["/exit", "/late"])("and ends its process by %s is a 500, and the function lives on", async (path) => {
    const { status, text } = await get(path);
    expect([status, JSON.parse(text).code]).toEqual([500, "WORKER_CRASHED"]);
    expect((await get("/state")).status).toBe(200);
  });

  it("and hangs is a 504 before exec_timeout is over, and is killed", async () => {
    const { status, text } = await get("/hang");
    expect(status).toBe(504);
    expect(JSON.parse(text).detail).toBe("the handler did not end within exec_timeout, which is 2000 ms");
  });

  it("and answers twice has answered once", async () => {
    expect(await get("/twice")).toMatchObject({ status: 200, text: "once" });
    await expect.poll(() => fn.log()).toContain("the handler had answered already");
  });
});

it.each(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])("takes %s at any path", async (method) => {
  const { status, text } = await get("/any/where?x=1", { method });
  expect([status, JSON.parse(text).method]).toEqual([200, method]);
});

it("answers HEAD without a body", async () => {
  const { status, text, response } = await get("/x", { method: "HEAD" });
  expect([status, text, Number(response.headers.get("content-length")) > 0]).toEqual([200, "", true]);
});

describe("a body", () => {
  const post = (type: string, body: RequestInit["body"]) =>
    get("/size", { method: "POST", headers: { "content-type": type }, body: body ?? null });

  it("of 4 MiB comes whole", async () => {
    const { text } = await post("application/octet-stream", new Uint8Array(4 * 1_048_576));
    expect(JSON.parse(text)).toEqual({ bytes: 4 * 1_048_576, buffer: true });
  });

  it("over its limit is a 413 that names the setting", async () => {
    const { status, text } = await post("application/json", JSON.stringify("x".repeat(2_000)));
    expect(status).toBe(413);
    expect(JSON.parse(text).detail).toBe(
      "the body is over the limit of 1024 bytes, which the setting MAX_JSON_SIZE of the function raises",
    );
    expect(JSON.parse((await post("text/plain", "x".repeat(6 * 1_048_576))).text).detail).toContain("MAX_RAW_SIZE");
  });

  it("that is not JSON is a 400", async () => {
    expect((await post("application/json", "{")).status).toBe(400);
  });
});

it("kills the process of a caller who goes away", async () => {
  const { port } = new URL(fn.url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.write("GET /hang HTTP/1.1\r\nhost: x\r\n\r\n");
  await new Promise((done) => setTimeout(done, 150));
  socket.destroy();
  await expect.poll(() => fn.log()).toContain("nobody waits for this invocation");
});

it.each<[string, Record<string, string>]>([
  ["TypeScript with a default export", { "handler.ts": 'export default async (): Promise<string> => "ok";' }],
  [
    "an ES module that asks where it is",
    { "handler.mjs": 'export default async () => (import.meta.url.startsWith("file:") ? "ok" : "no");' },
  ],
  [
    "CommonJS compiled from TypeScript",
    {
      "handler.js":
        'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = async () => "ok";',
    },
  ],
  [
    "a file that comes along",
    {
      "handler.js":
        'module.exports = async () => require("fs").readFileSync(require("path").join(__dirname, "word.txt"), "utf8");',
      "word.txt": "ok",
      "package.json": '{"singleUse":{"files":["word.txt"]}}',
    },
  ],
])("takes %s", async (_, files) => {
  const started = await startPlain(files);
  expect(await (await fetch(started.url)).text()).toBe("ok");
  await started.stop();
});

it("lets calls in flight end when it is told to stop, and leaves with 0", async () => {
  const own = await startPlain({ "handler.js": handler });
  const call = fetch(`${own.url}/slow`);
  await new Promise((done) => setTimeout(done, 200));
  own.child.kill("SIGTERM");
  expect(await (await call).text()).toBe("slow");
  expect(await own.exited).toBe(0);
  await own.stop();
});

it.each([[{ default: 5 }], [{}], [{ default: { handle: () => 1 } }]])(
  "does not start with a file that exports %o",
  async (exported) => {
    await expect(runPlainWorker(exported)).rejects.toThrow("must export a function (event, context)");
  },
);
