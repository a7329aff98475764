/** The template, in the folder that `faas-cli build --shrinkwrap` makes of it. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Envelope, Outcome } from "#contracts";
import { approvalEnvironment } from "#testing/approval-keys";
import { readStack } from "../stack/read-stack.ts";

const home = resolve(import.meta.dirname, "../..");
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-test-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Template, then the handler over `function/`, then each path of `configuration.copy` inside it. */
async function shrinkwrap(name: string): Promise<string> {
  const { functions, copy } = await readStack(join(home, "stack.yml"), { environment: {} });
  const found = functions.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no function ${name} in stack.yml`);
  const target = join(folder, name);
  await cp(join(home, "template", found.lang), target, { recursive: true });
  const within = join(target, "function");
  await cp(join(home, found.handler), within, { recursive: true });
  for (const path of copy) await cp(join(home, path), join(within, path), { recursive: true });
  // In place of the image's `npm ci`.
  await symlink(join(home, "node_modules"), join(within, "node_modules"));
  return target;
}

async function bundle(target: string): Promise<string> {
  const tsx = join(target, "function/node_modules/.bin/tsx");
  await promisify(execFile)(tsx, ["bundle.mts"], { cwd: target });
  // As in the image: nothing but the bundle, at a place where no checkout is near.
  const alone = `${target}-alone`;
  await cp(join(target, "bundle"), alone, { recursive: true });
  await rm(target, { recursive: true });
  return alone;
}

async function run(alone: string, environment: Record<string, string>) {
  const child = spawn(process.execPath, ["index.js"], {
    cwd: alone,
    env: { PATH: process.env.PATH, TMPDIR: folder, http_port: "0", ...environment },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let written = "";
  child.stderr?.on("data", (chunk) => {
    written += chunk;
  });
  const port = await new Promise<number>((done, failed) => {
    let listening = 0;
    child.on("message", (message: { event: string; port: number }) => {
      if (message.event === "listening") listening = message.port;
      if (message.event === "ready") done(listening);
    });
    child.once("exit", () => failed(new Error(written)));
  });
  return { child, url: `http://127.0.0.1:${port}/` };
}

async function stop(child: ChildProcess): Promise<number | null> {
  const exited = new Promise<number | null>((done) => child.once("exit", done));
  child.kill("SIGTERM");
  return exited;
}

describe("the template", () => {
  it.each<[string, Record<string, string>, RegExp]>([
    ["policy-enforcer", { approval_key_file: approvalEnvironment.approval_key_file }, /^\d+-shared$/],
    // Its worker rehearses with DuckDB before it says ready.
    [
      "uva-sql-query",
      { data_dir: "/", approval_keys_file: approvalEnvironment.approval_keys_file },
      /^\d+-[0-9a-f]{16}$/,
    ],
  ])("makes of %s a bundle that runs by itself", async (name, environment, worker) => {
    const { child, url } = await run(await bundle(await shrinkwrap(name)), environment);
    const step = name.replace("uva-", "");
    const body = Envelope.encode(
      Envelope.fromPartial({ queryId: "q", step, deadlineMs: Date.now() + 10_000 }),
    ).finish();
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/x-protobuf" },
      body: new Uint8Array(body),
    });
    expect(response.headers.get("x-dynamos-worker")).toMatch(worker);
    expect(Outcome.decode(new Uint8Array(await response.arrayBuffer())).decision).toBeDefined();
    expect(await stop(child)).toBe(0);
  });

  it("starts what its door needs", async () => {
    const dockerfile = await readFile(join(home, "template/node18-single-use/Dockerfile"), "utf8");
    const setting = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(dockerfile)?.[1];
    expect(setting("mode")).toBe("http");
    expect(setting("fprocess")).toBe("node index.js");
    expect(setting("upstream_url")).toBe(`http://127.0.0.1:${setting("http_port")}`);
    expect(setting("ready_path")).toBe("/_/ready");
    expect(dockerfile).toMatch(/^USER \d+$/m);
  });
});
