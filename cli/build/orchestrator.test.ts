/** The orchestrator's bundle as it is deployed: on a Node without Web Crypto under its global name, as Node 18 is. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { openTokens, type Tokens } from "#testing/tokens";
import { bundleFunction } from "./bundle-function.ts";

const home = resolve(import.meta.dirname, "../..");
let folder: string;
let tokens: Tokens;
let child: ChildProcess | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dynamos-test-"));
  tokens = await openTokens();
  await bundleFunction(join(home, "functions/orchestrator/handler.ts"), folder);
}, 60_000);
afterEach(() => void child?.kill("SIGKILL"));
afterAll(async () => {
  await tokens.remove();
  await rm(folder, { recursive: true, force: true });
});

interface Started {
  /** Of the loopback interface; undefined: it ended before it listened. */
  readonly port: number | undefined;
  readonly written: string;
}

function start(environment: Record<string, string>): Promise<Started> {
  const started = spawn(process.execPath, ["--no-experimental-global-webcrypto", join(folder, "index.js")], {
    env: { PATH: process.env.PATH, http_port: "0", ...environment },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  child = started;
  let written = "";
  for (const stream of [started.stdout, started.stderr]) stream?.on("data", (text) => (written += text));
  return new Promise((resolve) => {
    started.on("message", ({ event, port }: { event?: string; port?: number }) => {
      if (event === "listening") resolve({ port, written });
    });
    started.once("close", () => resolve({ port: undefined, written }));
  });
}

const settings = () => ({
  sidecar_address: `unix://${join(folder, "none.sock")}`,
  token_issuer: tokens.issuer.issuer,
  token_audience: tokens.issuer.audience,
  token_jwks_file: tokens.issuer.jwksFile,
});

it("takes a token that its issuer signed, and no other", async () => {
  const { port, written } = await start(settings());
  expect(written).not.toContain("error");
  const url = `http://127.0.0.1:${port}/v1/queries/x`;
  expect((await fetch(url, { headers: await tokens.headerOf() })).status).toBe(404);
  expect((await fetch(url, { headers: { authorization: "Bearer a.b.c" } })).status).toBe(401);
  expect((await fetch(url)).status).toBe(401);
});

it.each([
  ["token_issuer", "token_issuer is not set: the orchestrator must know whose tokens it believes"],
  ["token_audience", "token_audience is not set"],
  ["token_jwks_file", "one of token_jwks_url and token_jwks_file must say where the issuer's public keys are"],
])("does not start without %s, and says so", async (name, sentence) => {
  const { port, written } = await start({ ...settings(), [name]: "" });
  expect(port).toBeUndefined();
  expect(written).toContain(sentence);
});
