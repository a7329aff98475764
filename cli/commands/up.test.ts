import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { statusFields } from "../system/descendants.ts";
import { bearerToken } from "../tokens/bearer-token.ts";
import { ask } from "./ask.ts";
import { readyText } from "./up.ts";

const home = resolve(import.meta.dirname, "../..");
let temporary: string;
/** Its key outlives the run. */
let state: string;
let child: ChildProcess | undefined;

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), "dynamos-up-"));
  state = await mkdtemp(join(tmpdir(), "dynamos-state-"));
});
afterEach(async () => {
  child?.kill("SIGKILL");
  await rm(state, { recursive: true, force: true });
  await rm(temporary, { recursive: true, force: true, maxRetries: 5 });
});

async function up(): Promise<{ url: string; exited: Promise<number | null> }> {
  const started = spawn(process.execPath, ["--import", "tsx", "cli/main.ts", "up", "--port", "0"], {
    cwd: home,
    env: { PATH: process.env.PATH, TMPDIR: temporary, DYNAMOS_HOME: state, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child = started;
  const exited = new Promise<number | null>((done) => started.once("exit", done));
  let written = "";
  started.stderr.on("data", (chunk) => {
    written += chunk;
  });
  const url = await new Promise<string>((done, failed) => {
    started.stdout.on("data", (chunk) => {
      written += chunk;
      const ready = /ready at (\S+)/.exec(written)?.[1];
      if (ready !== undefined) done(ready);
    });
    void exited.then(() => failed(new Error(written)));
  });
  return { url, exited };
}

/** Processes whose temporary folder is this run's: the system, its functions and their workers. */
async function processes(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (environment.includes(`TMPDIR=${temporary}`)) found.push(pid);
  }
  return found;
}

/** Processes of this run that have computed for half a second: no start takes so long in one. */
async function busyWorkers(): Promise<number> {
  const ticks = await Promise.all((await processes()).map(async (pid) => Number(statusFields(Number(pid))[11] ?? 0)));
  return ticks.filter((used) => used > 100).length;
}

/** Files of this run, without what tsx and Node keep for the next one. */
async function leftovers(): Promise<string[]> {
  return (await readdir(temporary)).filter((name) => !/^(tsx-|node-compile-cache)/.test(name));
}

describe("dynamos up", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("ends every process and leaves no file behind on %s", async (signal) => {
    const { url, exited } = await up();
    expect((await fetch(`${url}/function/orchestrator/healthz`)).status).toBe(200);
    expect((await processes()).length).toBeGreaterThan(14);
    child?.kill(signal);
    expect(await exited).toBe(0);
    await expect.poll(processes).toEqual([]);
    expect(await leftovers()).toEqual([]);
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "tells those who wait that their heavy queries are cancelled on %s",
    async (signal) => {
      const { url, exited } = await up();
      const product = "SELECT sum(sin(a.Unieknr * b.Unieknr + c.Unieknr)) AS n FROM Personen a, Personen b, Personen c";
      const token = await bearerToken(undefined, "researcher@example.org", { DYNAMOS_HOME: state });
      const query = { providers: ["UVA", "VU"], sql: product };
      const answers = Array.from({ length: 4 }, () => ask({ gatewayUrl: url, token }, query));
      await expect.poll(busyWorkers, { timeout: 20_000 }).toBeGreaterThan(1);
      child?.kill(signal);
      for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ body: { code: "CANCELLED" } });
      expect(await exited).toBe(0);
      await expect.poll(processes).toEqual([]);
      expect(await leftovers()).toEqual([]);
    },
    60_000,
  );

  it("leaves nothing behind either when it is told to end while it starts", async () => {
    const starting = spawn(process.execPath, ["--import", "tsx", "cli/main.ts", "up", "--port", "0"], {
      cwd: home,
      env: { PATH: process.env.PATH, TMPDIR: temporary, DYNAMOS_HOME: state },
      stdio: ["ignore", "ignore", "pipe"],
    });
    child = starting;
    await new Promise((resume) => starting.stderr.once("data", resume));
    const exited = new Promise((done) => starting.once("exit", done));
    starting.kill("SIGINT");
    expect(await exited).toBe(130);
    await expect.poll(processes, { timeout: 10_000 }).toEqual([]);
    expect(await leftovers()).toEqual([]);
  });

  it("takes its functions and their workers along when it is killed", async () => {
    const { exited } = await up();
    child?.kill("SIGKILL");
    await exited;
    await expect.poll(processes, { timeout: 10_000 }).toEqual([]);
  });
});

it("dynamos up names its gateway in the command that it proposes, where that is not the usual one", () => {
  expect(readyText("http://127.0.0.1:8080")).not.toContain("--gateway");
  expect(readyText("http://127.0.0.1:9090")).toContain("dynamos query --gateway http://127.0.0.1:9090 --providers");
});
