/** /system/ and /async-function/ as OpenFaaS's clients use them. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import type { StackFunction } from "../stack/read-stack.ts";
import { type Gateway, startGateway } from "./start-gateway.ts";

const fixture = `
const { createServer } = require("node:http");
for (let index = 1; index <= 5; index++) console.error("line " + index);
const server = createServer((request, response) => {
  if (request.url === "/crash") process.exit(1);
  const seen = { "x-method": request.method, "x-mine": request.headers["x-mine"] ?? "absent", "x-callback-seen": String("x-callback-url" in request.headers) };
  response.writeHead(201, { "content-type": "image/svg+xml", ...seen });
  request.pipe(response);
});
server.listen(0, "127.0.0.1", () => {
  process.send({ event: "listening", port: server.address().port });
  process.send({ event: "ready" });
});
process.on("disconnect", () => process.exit(0));
`;

const authorization = `Basic ${Buffer.from("admin:a:b").toString("base64")}`;
let buildDir: string;
let gateway: Gateway;
let listener: Server | undefined;

const spec: StackFunction = {
  name: "echo",
  lang: "node18-single-use",
  handler: "./functions/echo",
  image: "registry/echo:1",
  environment: { a: "b" },
  secrets: ["key"],
  labels: { team: "x" },
  annotations: { topic: "uva.echo" },
  limits: { memory: "1Gi" },
  constraints: ["zone=a"],
  readonlyRootFilesystem: true,
};

beforeAll(async () => {
  buildDir = await mkdtemp(join(tmpdir(), "dynamos-rest-"));
  await mkdir(join(buildDir, "echo"));
  await writeFile(join(buildDir, "echo/index.js"), fixture);
  gateway = await startGateway({
    stack: { path: "stack.yml", functions: [spec], copy: [] },
    buildDir,
    port: 0,
    environmentFor: () => ({ inner: "not shown" }),
    log: createMemoryLog(),
    auth: { user: "admin", password: "a:b" },
  });
});
afterAll(async () => {
  await gateway.stop();
  await rm(buildDir, { recursive: true, force: true });
});
afterEach(() => {
  listener?.close();
  listener = undefined;
});

const system = (path: string, init: RequestInit = {}) =>
  fetch(`${gateway.url}/system/${path}`, { ...init, headers: { authorization } });

describe("/system/", () => {
  it("gives a FunctionStatus with the names of the provider SDK, and nothing else", async () => {
    const [status] = (await (await system("functions")).json()) as Record<string, unknown>[];
    expect(status).toEqual({
      name: "echo",
      image: "registry/echo:1",
      namespace: "openfaas-fn",
      envProcess: "node index.js",
      envVars: { a: "b" },
      constraints: ["zone=a"],
      secrets: ["key"],
      labels: { team: "x" },
      annotations: { topic: "uva.echo" },
      limits: { memory: "1Gi" },
      readOnlyRootFilesystem: true,
      invocationCount: expect.any(Number),
      replicas: 1,
      availableReplicas: 1,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    expect(await (await system("function/echo")).json()).toEqual(status);
  });

  it("answers an unknown function with 404 and an empty body", async () => {
    const answer = await system("function/absent");
    expect([answer.status, await answer.text()]).toEqual([404, ""]);
  });

  it.each([undefined, "Basic eDp5", "Bearer x", `${authorization}x`])(
    "is closed to %s; functions are open",
    async (given) => {
      const headers: Record<string, string> = given === undefined ? {} : { authorization: given };
      const answer = await fetch(`${gateway.url}/system/functions`, { headers });
      expect([answer.status, await answer.text()]).toEqual([401, "invalid credentials\n"]);
      expect((await fetch(`${gateway.url}/function/echo`, { headers })).status).toBe(201);
      expect((await fetch(`${gateway.url}/healthz`, { headers })).status).toBe(200);
    },
  );

  it.each([
    ["tail=2", ["line 4", "line 5"]],
    ["tail=-1", ["line 1", "line 2", "line 3", "line 4", "line 5"]],
    ["since=2999-01-01T00:00:00Z", []],
    ["since=2001-01-01T00:00:00Z&tail=1", ["line 5"]],
  ])("gives the log as NDJSON with %s", async (query, texts) => {
    const answer = await system(`logs?name=echo&follow=false&${query}`);
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
    const lines = (await answer.text()).split("\n").filter((line) => line !== "");
    const messages = lines.map((line) => JSON.parse(line) as Record<string, string>);
    expect(messages.map(({ text }) => text)).toEqual(texts);
    for (const message of messages) {
      expect(Object.keys(message).sort()).toEqual(["instance", "name", "namespace", "text", "timestamp"]);
    }
  });

  it.each([
    ["logs?name=echo&tail=many", 422],
    ["logs?name=echo&since=yesterday", 422],
    ["logs?name=absent", 404],
    ["absent", 404],
  ])("answers %s with %i", async (path, status) => {
    expect((await system(path)).status).toBe(status);
  });
});

interface Callback {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function listenForCallbacks(status = 200): Promise<{ url: string; got: Callback[] }> {
  const got: Callback[] = [];
  listener = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    got.push({ headers: request.headers, body });
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => listener?.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}/done`, got };
}

const callLater = (path: string, headers: Record<string, string>, body = "hello") =>
  fetch(`${gateway.url}/async-function/${path}`, { method: "POST", headers, body });

describe("/async-function/", () => {
  it("hands on the client's headers but for the callback's, and gives the function's to the callback", async () => {
    const { url, got } = await listenForCallbacks();
    const accepted = await callLater("echo/x", { "x-callback-url": url, "x-mine": "kept", "x-call-id": "call-7" });
    expect([accepted.status, await accepted.text(), accepted.headers.get("x-call-id")]).toEqual([202, "", "call-7"]);
    await expect.poll(() => got).toHaveLength(1);
    expect(got[0]?.body).toBe("hello");
    expect(got[0]?.headers).toMatchObject({
      "content-type": "image/svg+xml",
      "x-method": "POST",
      "x-mine": "kept",
      "x-callback-seen": "false",
      "x-call-id": "call-7",
      "x-function-name": "echo",
      "x-function-status": "201",
      "x-duration-seconds": expect.stringMatching(/^\d+\.\d{6}$/),
    });
  });

  it("reports a call whose function died", async () => {
    const { url, got } = await listenForCallbacks();
    await callLater("echo/crash", { "x-callback-url": url });
    await expect.poll(() => got).toHaveLength(1);
    expect(got[0]?.headers["x-function-status"]).toBe("502");
    await expect.poll(async () => (await fetch(`${gateway.url}/function/echo`)).status, { timeout: 10_000 }).toBe(201);
  });

  it("goes on after callbacks that fail, are no URL, or lead nowhere", async () => {
    const failing = await listenForCallbacks(500);
    await callLater("echo", { "x-callback-url": failing.url });
    await expect.poll(() => failing.got).toHaveLength(1);
    await callLater("echo", { "x-callback-url": "not a url" });
    await callLater("echo", { "x-callback-url": "http://127.0.0.1:1/" });
    listener?.close();
    const working = await listenForCallbacks();
    await callLater("echo", { "x-callback-url": working.url });
    await expect.poll(() => working.got).toHaveLength(1);
  });

  it("answers 413 while the body is still on its way", async () => {
    const { port } = new URL(gateway.url);
    const answer = await new Promise<string>((resolve) => {
      let got = "";
      const socket = connect(Number(port), "127.0.0.1", () => {
        socket.write("POST /async-function/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n");
        socket.write("x".repeat(400_000));
      });
      socket.setEncoding("latin1").on("data", (chunk) => {
        got += chunk;
      });
      socket.on("error", () => {});
      socket.on("close", () => resolve(got));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*limited to 256000 bytes/);
  });
});
