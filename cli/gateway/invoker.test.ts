/** The OpenFaaS invoker against the local gateway, with the real runtime in each function's process. */
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { createOpenfaasInvoker } from "#adapters/openfaas/invoker";
import { systemClock } from "#adapters/system/clock";
import { contractSteps } from "#testing/contract-steps";
import { callOf, envelopeFor, invokerContract } from "#testing/invoker-contract";
import type { StackFunction } from "../stack/read-stack.ts";
import { type Gateway, startGateway } from "./start-gateway.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const auth = { user: "admin", password: "a:b" };
let buildDir: string;

/** One bundle for all: it takes its step by the name of its folder. */
const entry = `
import { basename } from "node:path";
import { serveShared } from "#runtime/serve-shared";
import { contractSteps } from "#testing/contract-steps";
const step = contractSteps.find(({ name }) => name === basename(__dirname));
if (step === undefined) throw new Error("no such step");
serveShared({ step, loadJson: () => import("#runtime/json-codec"), environment: process.env });
`;

beforeAll(async () => {
  buildDir = await mkdtemp(join(tmpdir(), "dynamos-invoker-"));
  const outfile = join(buildDir, "function.cjs");
  const stdin = { contents: entry, resolveDir: root, loader: "ts" as const };
  await build({ stdin, outfile, bundle: true, platform: "node", target: "node18", format: "cjs", logLevel: "error" });
  for (const { name } of contractSteps) {
    await mkdir(join(buildDir, name));
    await copyFile(outfile, join(buildDir, name, "index.js"));
  }
});
afterAll(() => rm(buildDir, { recursive: true, force: true }));

function functionOf(party: string, step: string): StackFunction {
  const concurrency = step === "slow" ? { "com.dynamos.concurrency": "7" } : {};
  const name = `${party.toLowerCase()}-${step}`;
  return {
    name,
    lang: "node18-single-use",
    handler: `./functions/${step}`,
    image: `${step}:latest`,
    environment: {},
    secrets: [],
    labels: {},
    annotations: { topic: `${party.toLowerCase()}.${step}`, "com.dynamos.party": party, ...concurrency },
    constraints: [],
    readonlyRootFilesystem: true,
  };
}

function start(functions: StackFunction[]): Promise<Gateway> {
  const stack = { path: "stack.yml", functions, copy: [] };
  return startGateway({ stack, buildDir, port: 0, environmentFor: () => ({}), log: createMemoryLog(), auth });
}

const invokerOf = (gateway: Gateway) =>
  createOpenfaasInvoker({ gatewayUrl: gateway.url, auth, party: "UVA", clock: systemClock });

describe("the OpenFaaS invoker, over the local gateway", () => {
  invokerContract(async () => {
    const gateway = await start([
      ...contractSteps.map(({ name }) => functionOf("UVA", name)),
      functionOf("VU", "refusing"),
    ]);
    const invoker = invokerOf(gateway);
    const close = async () => {
      await invoker.close();
      await gateway.stop();
    };
    return { invoker, close };
  });
});

describe("when a function's process", () => {
  let gateway: Gateway;
  const options = (ms = 20_000) => ({ deadlineMs: Date.now() + ms, signal: new AbortController().signal });

  beforeAll(async () => {
    gateway = await start([functionOf("UVA", "echo"), functionOf("UVA", "endless")]);
  });
  afterAll(() => gateway.stop());

  it("is gone, the call fails with FUNCTION_UNAVAILABLE, and works again when it is back", async () => {
    const invoker = invokerOf(gateway);
    const invoke = () => invoker.invoke("uva-echo", callOf(envelopeFor("echo")), options());
    await invoke();
    await gateway.stopFunction("uva-echo");
    await expect(invoke()).rejects.toMatchObject({
      label: "FUNCTION_UNAVAILABLE",
      message: "function uva-echo is not running (status 503)",
    });
    await gateway.startFunction("uva-echo");
    await expect(invoke()).resolves.toBeInstanceOf(Uint8Array);
    await invoker.close();
  });

  it("goes in the middle of a call, that call fails with FUNCTION_UNAVAILABLE before its deadline", async () => {
    const invoker = invokerOf(gateway);
    const call = invoker.invoke("uva-endless", callOf(envelopeFor("endless")), options());
    const failed = expect(call).rejects.toMatchObject({ label: "FUNCTION_UNAVAILABLE" });
    await new Promise((resume) => setTimeout(resume, 200));
    await gateway.stopFunction("uva-endless");
    await failed;
    await invoker.close();
  });

  it("lists its functions only to whom it knows", async () => {
    const stranger = createOpenfaasInvoker({ gatewayUrl: gateway.url, party: "UVA", clock: systemClock });
    await expect(stranger.steps()).rejects.toMatchObject({
      label: "FUNCTION_UNAVAILABLE",
      message: "the gateway does not accept these credentials when its functions were listed",
    });
    await stranger.close();
  });
});
