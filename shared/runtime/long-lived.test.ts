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

const failureOf = ({ outcome }: Answer) => {
  const { decision } = outcome;
  return decision?.$case === "failure" ? [labelOf(decision.value.code), decision.value.message] : decision?.$case;
};

describe("a shared step", () => {
  it("stays in one process from call to call", async () => {
    const fn = await start("counter");
    const answers = [await fn.call({}), await fn.call({}), await fn.call({})];
    expect(answers.map(failureOf)).toEqual([1, 2, 3].map((n) => ["CANCELLED", `call ${n}`]));
    expect(new Set(answers.map(({ worker }) => worker))).toEqual(new Set([`${fn.child.pid}-shared`]));
  });

  it("names what goes wrong without its cause, and serves the next call", async () => {
    const fn = await start("counter");
    expect(failureOf(await fn.call({ query: { sql: "throw" } }))).toEqual(["INTERNAL", "internal error"]);
    const late = await fn.call({ query: { sql: "hang" }, deadlineMs: Date.now() + 200 });
    expect([failureOf(late)?.[0], late.status]).toEqual(["DEADLINE_EXCEEDED", 504]);
    expect(failureOf(await fn.call({}))).toEqual(["CANCELLED", "call 1"]);
    await expect.poll(() => fn.log()).toContain("a secret value");
  });
});

describe("an HTTP function", () => {
  it("lets its calls end when it is told to stop, closes after them, and leaves with 0", async () => {
    const fn = await start("hello");
    expect((await fetch(`${fn.url}/_/ready`)).status).toBe(200);
    const call = fetch(`${fn.url}/400`);
    await new Promise((resume) => setTimeout(resume, 100));
    fn.child.kill("SIGTERM");
    expect(await (await call).text()).toBe("hello");
    expect(await fn.exited).toBe(0);
    expect(fn.log()).toContain("closed after the last call");
  });

  it("leaves with 1 when a call had to be cut", async () => {
    const fn = await start("hello", { drain_ms: "50" });
    const call = fetch(`${fn.url}/20000`).catch(() => "cut");
    await new Promise((resume) => setTimeout(resume, 100));
    fn.child.kill("SIGTERM");
    expect(await call).toBe("cut");
    expect(await fn.exited).toBe(1);
  });

  it("does not start without what it needs, and says why", async () => {
    await expect(start("hello", { refuse_start: "yes" })).rejects.toThrow(/ended with 1: .*no sidecar/);
    await expect(start("hello", { drain_ms: "soon" })).rejects.toThrow(/drain_ms must be a whole number/);
  });

  it("leaves when the process that started it goes away", async () => {
    const fn = await start("hello");
    fn.child.disconnect();
    expect(await fn.exited).toBe(0);
  });
});
