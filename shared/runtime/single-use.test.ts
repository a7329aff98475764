import { existsSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { labelOf } from "#errors";
import { type Answer, type StartedFunction, startFunction } from "#testing/started-function";

const started: StartedFunction[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((fn) => fn.stop()));
});

async function start(name: string, environment?: Record<string, string>): Promise<StartedFunction> {
  const fn = await startFunction(`shared/runtime/testing-steps/${name}.ts`, environment);
  started.push(fn);
  return fn;
}

const foundBy = ({ outcome }: Answer) => {
  const { decision } = outcome;
  const content = decision?.$case === "forward" ? decision.value.payload?.content : undefined;
  return content?.$case === "result" ? JSON.parse(String(content.value.document?.body)) : decision;
};

const codeOf = ({ outcome }: Answer) =>
  outcome.decision?.$case === "failure" ? labelOf(outcome.decision.value.code) : outcome.decision?.$case;

const pidOf = ({ worker }: Answer) => Number(/\d+/.exec(worker)?.[0]);
/** A process that has ended but whose parent has not asked (state Z) is no more than its name. */
const isAlive = (pid: number) =>
  existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));

describe("an invocation of a single-use step", () => {
  it("finds nothing of the one before: no global, no file, no environment", async () => {
    const fn = await start("tell-tale", { pool_size: "1", concurrency: "1", SECRET: "of the door" });
    for (let i = 0; i < 4; i++) {
      expect(foundBy(await fn.call({ queryId: `q${i}` }))).toEqual({
        files: [],
        workingFolder: [],
        module: 0,
        arguments: [],
      });
    }
  });

  it("is served by a process of its own that is gone soon after", async () => {
    const fn = await start("tell-tale", { pool_size: "2", concurrency: "4" });
    const answers = await Promise.all(Array.from({ length: 8 }, () => fn.call({})));
    expect(new Set(answers.map(({ worker }) => worker)).size).toBe(8);
    const pids = answers.map(pidOf);
    expect(new Set(pids).size).toBe(8);
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
  });

  it.each([
    ["crash", "WORKER_CRASHED", 500],
    ["kill", "WORKER_CRASHED", 500],
    ["heap", "WORKER_OUT_OF_MEMORY", 500],
    ["buffers", "WORKER_OUT_OF_MEMORY", 500],
    ["throw", "INTERNAL", 500],
    ["name", "DATA_UNREADABLE", 500],
    ["answer", "CANCELLED", 409],
    ["chat", "CANCELLED", 409],
  ])("that goes wrong by %s ends with %s, and the next one is served", async (way, code, status) => {
    const fn = await start("misbehave", { memory_mb: "160", heap_mb: "48" });
    const answer = await fn.call({ query: { sql: way } });
    expect([codeOf(answer), answer.status]).toEqual([code, status]);
    expect(JSON.stringify(answer.outcome)).not.toContain("secret");
    expect(codeOf(await fn.call({ query: { sql: "answer" } }))).toBe("CANCELLED");
  });

  it.each(["hang", "spin"])("that does not end (%s) is killed at its deadline", async (way) => {
    const fn = await start("misbehave");
    const answer = await fn.call({ query: { sql: way }, deadlineMs: Date.now() + 400 });
    expect([codeOf(answer), answer.status]).toEqual(["DEADLINE_EXCEEDED", 504]);
    expect(codeOf(await fn.call({ query: { sql: "answer" } }))).toBe("CANCELLED");
  });

  it("is killed when nobody waits for it any more", async () => {
    const fn = await start("misbehave", { pool_size: "1", concurrency: "1" });
    const controller = new AbortController();
    const hanging = fn.call({ query: { sql: "hang" } }, controller.signal).catch(() => "given up");
    await new Promise((resume) => setTimeout(resume, 100));
    controller.abort();
    expect(await hanging).toBe("given up");
    expect(codeOf(await fn.call({ query: { sql: "answer" } }))).toBe("CANCELLED");
  });
});

describe("the door", () => {
  it.each([
    ["GET", "/", undefined, "", 405],
    ["POST", "/elsewhere", "application/x-protobuf", "", 404],
    ["POST", "/", "text/plain", "hello", 415],
    ["POST", "/", "application/x-protobuf", "\u00ff\u00ff", 400],
    ["POST", "/", "application/json", "{", 400],
    ["POST", "/", "application/json", "{}", 400],
  ])("answers %s %s as %s with %j by %i and an outcome", async (method, path, type, body, status) => {
    const fn = await start("misbehave");
    const response = await fetch(`${fn.url}${path}`, {
      method,
      headers: { accept: "application/json", ...(type === undefined ? {} : { "content-type": type }) },
      ...(method === "GET" ? {} : { body }),
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ failure: { code: expect.any(String), message: expect.any(String) } });
  });

  it("refuses an envelope of another step, one past its deadline, and one too large", async () => {
    const fn = await start("misbehave");
    expect(codeOf(await fn.call({ step: "sql-query" }))).toBe("ENVELOPE_INVALID");
    expect(codeOf(await fn.call({ deadlineMs: 1 }))).toBe("DEADLINE_EXCEEDED");
    const large = { query: { sql: "x".repeat(70 * 1_048_576) } };
    const answer = await fn.call(large).catch((error: unknown) => String(error));
    expect(typeof answer === "string" ? 413 : answer.status).toBe(413);
  });

  it("lets the calls in flight end when it is told to stop, and leaves with 0", async () => {
    const fn = await start("tell-tale", { pool_size: "1", concurrency: "2" });
    const calls = [fn.call({}), fn.call({}), fn.call({})];
    await new Promise((resume) => setTimeout(resume, 20));
    fn.child.kill("SIGTERM");
    for (const answer of await Promise.all(calls)) expect(answer.status).toBe(200);
    expect(await fn.exited).toBe(0);
  });

  it("takes its workers along when it is killed", async () => {
    const fn = await start("misbehave", { pool_size: "2" });
    const hanging = fn.call({ query: { sql: "spin" } }).catch(() => undefined);
    await new Promise((resume) => setTimeout(resume, 100));
    const workers = childrenOf(fn.child.pid ?? 0);
    expect(workers.length).toBeGreaterThan(0);
    fn.child.kill("SIGKILL");
    await hanging;
    await expect.poll(() => workers.filter(isAlive)).toEqual([]);
  });

  it("says ready only when it can serve", async () => {
    const fn = await start("tell-tale");
    expect((await fetch(`${fn.url}/_/ready`)).status).toBe(200);
    expect((await fetch(`${fn.url}/_/health`)).status).toBe(200);
  });
});

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
}
