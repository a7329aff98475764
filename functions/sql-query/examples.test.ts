/** What docs/steps.md calls with curl: two built functions by themselves, without gateway and sidecar, and the files of docs/examples. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, it } from "vitest";
import { approvalEnvironment } from "#testing/approval-keys";

const root = resolve(import.meta.dirname, "../..");
const examples = join(root, "docs/examples");
const folder = mkdtempSync(join(tmpdir(), "dynamos-examples-"));
const started: ChildProcess[] = [];

afterAll(async () => {
  await Promise.all(
    started.map(async (child) => {
      const ended = new Promise((end) => child.once("exit", end));
      if (child.exitCode === null && child.kill()) await ended;
    }),
  );
  rmSync(folder, { recursive: true, force: true });
});

/** Its address, once it takes calls. */
async function start(name: string): Promise<string> {
  const child = spawn(process.execPath, [join(root, "build/functions", name, "index.js")], {
    env: { ...process.env, ...approvalEnvironment, http_port: "0", data_dir: join(examples, "data"), pool_size: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  started.push(child);
  let port = 0;
  for await (const line of createInterface(child.stdout)) {
    const said = JSON.parse(line) as { event?: string; port?: number };
    port = said.port ?? port;
    if (said.event === "ready") return `http://127.0.0.1:${port}/`;
  }
  throw new Error(`${name} ended before it was ready`);
}

function node(script: string, args: readonly string[], input: string | Buffer): Buffer {
  const { status, stdout } = spawnSync(process.execPath, [join(examples, script), ...args], {
    input,
    stdio: ["pipe", "pipe", "inherit"],
    maxBuffer: 64 * 1024 * 1024,
  });
  expect(status).toBe(0);
  return stdout;
}

describe("the examples of docs/steps.md", () => {
  it("have a query approved by one function and its rows sent in pieces by the other", async () => {
    const [enforcer, query] = await Promise.all([start("policy-enforcer"), start("sql-query")]);
    const body = node("approve.mjs", [enforcer], readFileSync(join(examples, "query.json"))).toString();
    const call = (accept: string) =>
      fetch(query, { method: "POST", headers: { "content-type": "application/json", accept }, body });

    const inside = await call("application/json");
    expect(await inside.json()).toMatchObject({ failure: { code: "ERROR_CODE_RESULT_TOO_LARGE" } });

    const pieces = await call("application/vnd.dynamos.pieces");
    expect(pieces.status).toBe(200);
    const answer = Buffer.from(await pieces.arrayBuffer());
    const rows = node("read-pieces.mjs", [join(folder, "outcome.binpb")], answer);
    expect(rows.length).toBeGreaterThan(3_000_000);
    expect(readFileSync(join(folder, "outcome.binpb")).length).toBeGreaterThan(0);
  }, 60_000);
});
