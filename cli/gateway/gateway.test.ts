import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import type { Stack, StackFunction } from "../stack/read-stack.ts";
import { type Gateway, startGateway } from "./start-gateway.ts";

/** A function that tells what it got, and dies when asked. */
const fixture = `
const { createServer } = require("node:http");
const server = createServer((request, response) => {
  if (request.url.startsWith("/die")) process.exit(1);
  if (request.url.startsWith("/hang")) return void request.socket.on("close", () => console.error("client gone"));
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    response.writeHead(request.url.startsWith("/teapot") ? 418 : 200, { "content-type": "application/json", "x-own": "yes" });
    response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, bytes: Buffer.concat(chunks).length, secret: process.env.SECRET, from: process.env.FROM_STACK }));
  });
});
server.listen(0, "127.0.0.1", () => {
  process.send({ event: "listening", port: server.address().port });
  process.send({ event: "ready" });
});
process.on("disconnect", () => process.exit(0));
console.error("started");
`;

let buildDir: string;
let gateway: Gateway;

beforeAll(async () => {
  buildDir = await mkdtemp(join(tmpdir(), "dynamos-gateway-"));
  await mkdir(join(buildDir, "echo"));
  await writeFile(join(buildDir, "echo/index.js"), fixture);
  await mkdir(join(buildDir, "broken"));
  await writeFile(join(buildDir, "broken/index.js"), `console.error("no such setting"); process.exit(3);`);
});
afterAll(() => rm(buildDir, { recursive: true, force: true }));

const fn = (name: string, handler = "echo"): StackFunction => ({
  name,
  lang: "node18-single-use",
  handler: `./functions/${handler}`,
  image: `${name}:latest`,
  environment: { FROM_STACK: "yes" },
  secrets: [],
  labels: {},
  annotations: { topic: `uva.${name}`, "com.dynamos.party": "UVA" },
  constraints: [],
  readonlyRootFilesystem: true,
});

const stack = (...functions: StackFunction[]): Stack => ({ path: "stack.yml", functions, copy: [] });

function start(...functions: StackFunction[]): Promise<Gateway> {
  return startGateway({
    stack: stack(...functions),
    buildDir,
    port: 0,
    environmentFor: () => ({ SECRET: "given" }),
    log: createMemoryLog(),
  });
}

beforeEach(async () => {
  gateway = await start(fn("echo"), fn("other"));
});
afterEach(() => gateway.stop());

const get = (path: string, init?: RequestInit) => fetch(`${gateway.url}${path}`, init);
// biome-ignore lint/suspicious/noExplicitAny: what a test reads of an answer is what it asserts.
const json = async (path: string, init?: RequestInit): Promise<any> => (await get(path, init)).json();

describe("a call", () => {
  it("reaches the function with its path, query, body and method, and comes back with its status", async () => {
    const seen = await json("/function/echo/a/b?c=1", { method: "PUT", body: "hello" });
    expect(seen).toMatchObject({ method: "PUT", url: "/a/b?c=1", bytes: 5, secret: "given", from: "yes" });
    expect((await get("/function/echo/teapot")).status).toBe(418);
    expect((await json("/function/echo")).url).toBe("/");
    expect((await json("/function/echo.openfaas-fn/x")).url).toBe("/x");
    expect((await get("/function/echo.dev/x")).status).toBe(404);
  });

  it("carries a call id down, and back only when it was made here", async () => {
    const made = await get("/function/echo");
    expect(made.headers.get("x-call-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(await made.json()).toMatchObject({ headers: { "x-call-id": made.headers.get("x-call-id") } });
    const own = await get("/function/echo", { headers: { "x-call-id": "mine" } });
    expect(await own.json()).toMatchObject({ headers: { "x-call-id": "mine" } });
    expect(own.headers.get("x-call-id")).toBeNull();
  });

  it("of an unknown function is 404, also an asynchronous one", async () => {
    expect((await get("/function/nope")).status).toBe(404);
    expect((await get("/async-function/nope", { method: "POST" })).status).toBe(404);
  });

  it.each([
    "/function/../system/info",
    "/function/%2e%2e/x",
    "/function/ECHO",
    "/function/",
    "/nothing",
    "/function/echo%00",
  ])("to %s finds nothing that it should not", async (path) => {
    const { port } = new URL(gateway.url);
    const status = await new Promise((done, failed) => {
      request({ port, path, host: "127.0.0.1" }, (answer) => {
        answer.resume();
        done(answer.statusCode);
      })
        .on("error", failed)
        .end();
    });
    expect(status).toBe(404);
  });

  it("carries 5 MB both ways without an announced length", async () => {
    const body = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 80; i++) controller.enqueue(new Uint8Array(65_536));
        controller.close();
      },
    });
    const init = { method: "POST", body, duplex: "half" } as RequestInit;
    expect((await json("/function/echo", init)).bytes).toBe(80 * 65_536);
  });

  it("takes the function's call along when the client goes", async () => {
    const controller = new AbortController();
    const hanging = get("/function/echo/hang", { signal: controller.signal }).catch(() => "gone");
    await new Promise((resume) => setTimeout(resume, 100));
    controller.abort();
    expect(await hanging).toBe("gone");
    await expect.poll(async () => (await get("/system/logs?name=echo")).text()).toContain("client gone");
  });
});

describe("a function", () => {
  it("that dies is started again, and meanwhile answered for", async () => {
    expect([500, 502, 503]).toContain((await get("/function/echo/die")).status);
    await expect.poll(async () => (await get("/function/echo")).status, { timeout: 5_000 }).toBe(200);
  });

  it("that is stopped is listed as unavailable, and works again when started", async () => {
    await gateway.stopFunction("echo");
    expect((await get("/function/echo")).status).toBe(503);
    expect(await json("/system/function/echo")).toMatchObject({ replicas: 1, availableReplicas: 0 });
    await gateway.startFunction("echo");
    expect((await get("/function/echo")).status).toBe(200);
  });

  it("that does not start is named, with its last words", async () => {
    await expect(start(fn("sick", "broken"))).rejects.toThrow(/the function sick ended with 3[\s\S]*no such setting/);
  });
});

describe("an asynchronous call", () => {
  it("is accepted at once, and its answer goes to the callback", async () => {
    const got: { headers: Record<string, unknown>; body: string }[] = [];
    const listener = createServer((incoming, outgoing) => {
      let body = "";
      incoming.on("data", (chunk) => {
        body += chunk;
      });
      incoming.on("end", () => {
        got.push({ headers: incoming.headers, body });
        outgoing.end();
      });
    });
    await new Promise<void>((done) => listener.listen(0, "127.0.0.1", done));
    const callback = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/`;
    const accepted = await get("/async-function/echo/teapot", {
      method: "POST",
      body: "x",
      headers: { "x-callback-url": callback },
    });
    expect(accepted.status).toBe(202);
    await expect.poll(() => got).toHaveLength(1);
    expect(got[0]?.headers).toMatchObject({
      "x-function-name": "echo",
      "x-function-status": "418",
      "x-call-id": accepted.headers.get("x-call-id"),
    });
    expect(JSON.parse(got[0]?.body ?? "")).toMatchObject({ url: "/teapot", bytes: 1 });
    await new Promise((done) => listener.close(done));
  });

  it("is only POST, and only small", async () => {
    expect((await get("/async-function/echo")).status).toBe(405);
    expect((await get("/async-function/echo", { method: "POST", body: new Uint8Array(300_000) })).status).toBe(413);
  });
});

describe("the REST API", () => {
  it("lists the functions as faas-cli reads them", async () => {
    await get("/function/echo");
    const functions = await json("/system/functions");
    expect(functions.map(({ name }: { name: string }) => name)).toEqual(["echo", "other"]);
    expect(functions[0]).toMatchObject({
      image: "echo:latest",
      namespace: "openfaas-fn",
      invocationCount: 1,
      replicas: 1,
      availableReplicas: 1,
      annotations: { topic: "uva.echo" },
    });
  });

  it("answers health, info, namespaces, and 404 for the rest", async () => {
    expect((await get("/healthz")).status).toBe(200);
    expect(await json("/system/info")).toMatchObject({ provider: { provider: "dynamos-local" } });
    expect(await json("/system/namespaces")).toEqual(["openfaas-fn"]);
    expect((await get("/system/function/nope")).status).toBe(404);
    expect((await get("/system/functions", { method: "POST", body: "{}" })).status).toBe(403);
  });
});
