/** What a broken or hostile client, or function, does to the gateway. Bytes are written by hand where a client would tidy them. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { limits } from "#domain/limits";
import type { StackFunction } from "../stack/read-stack.ts";
import { type Gateway, startGateway } from "./start-gateway.ts";

/** Tells what it got; breaks in the way that the path says. */
const fixture = `
const { createServer } = require("node:http");
require("node:fs").writeFileSync(__dirname + "/pid-" + process.pid, "");
const server = createServer((request, response) => {
  if (request.url === "/silent") return;
  if (request.url === "/half") {
    response.writeHead(200, { "content-length": "100" });
    return void response.write("half", () => process.exit(1));
  }
  if (request.url === "/plain") return void response.end("no type");
  if (request.url === "/early") {
    response.writeHead(429, { "content-type": "text/plain", connection: "close" });
    response.write("busy");
    // Closed with bytes unread, the connection would be reset, and what was written last with it.
    setTimeout(() => response.end(), 500);
    return void request.resume();
  }
  let bytes = 0;
  request.on("data", (chunk) => { bytes += chunk.length; });
  request.on("end", () => response.end(JSON.stringify({ method: request.method, url: request.url, bytes, headers: request.headers })));
});
server.listen(0, "127.0.0.1", () => {
  process.send({ event: "listening", port: server.address().port });
  process.send({ event: "ready" });
});
process.on("disconnect", () => process.exit(0));
`;

let buildDir: string;
let gateway: Gateway;
let port: number;

const fn = (name: string, environment: Record<string, string> = {}): StackFunction => ({
  name,
  lang: "node18-single-use",
  handler: "./functions/echo",
  image: `${name}:latest`,
  environment,
  secrets: [],
  labels: {},
  annotations: {},
  constraints: [],
  readonlyRootFilesystem: true,
});

function start(...functions: StackFunction[]): Promise<Gateway> {
  const stack = { path: "stack.yml", functions, copy: [] };
  return startGateway({ stack, buildDir, port: 0, environmentFor: () => ({}), log: createMemoryLog() });
}

beforeAll(async () => {
  buildDir = await mkdtemp(join(tmpdir(), "dynamos-hostile-"));
  await mkdir(join(buildDir, "echo"));
  await writeFile(join(buildDir, "echo/index.js"), fixture);
  gateway = await start(fn("echo"), fn("hasty", { exec_timeout: "200ms" }));
  port = Number(new URL(gateway.url).port);
});
afterAll(async () => {
  await gateway.stop();
  await rm(buildDir, { recursive: true, force: true });
});

/** Sends bytes as they are; resolves with all that came back when the connection ends. */
function raw(...parts: string[]): Promise<string> {
  return new Promise((resolve) => {
    let got = "";
    const socket = connect(port, "127.0.0.1", () => {
      for (const part of parts) socket.write(part, "latin1");
    });
    socket.setEncoding("latin1").on("data", (chunk) => {
      got += chunk;
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(got));
  });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const healthy = async () => expect((await fetch(`${gateway.url}/function/echo`)).status).toBe(200);
const statusLine = (answer: string) => answer.split("\r\n")[0];

it("refuses headers over the limit with 431", async () => {
  const answer = await raw(`GET /function/echo HTTP/1.1\r\nhost: x\r\nbig: ${"a".repeat(40_000)}\r\n\r\n`);
  expect(statusLine(answer)).toContain("431");
  await healthy();
});

it("refuses a path with bytes that must be encoded with 400", async () => {
  const answer = await raw("GET /function/echo/\xe9 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  expect(statusLine(answer)).toContain("400");
  await healthy();
});

it("does not let a chunked body of a DELETE become the function's next request", async () => {
  const smuggled = "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";
  const answer = await raw(
    "DELETE /function/echo/first HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n",
    `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
  );
  expect(JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1))).toMatchObject({
    method: "DELETE",
    url: "/first",
    bytes: smuggled.length,
  });
});

it("refuses two lengths in one request", async () => {
  const head = "POST /function/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n";
  expect(statusLine(await raw(head, "0\r\n\r\n"))).toContain("400");
  await healthy();
});

it("takes the headers off that belong to the connection, also those that the client names", async () => {
  const answer = await raw(
    "GET /function/echo HTTP/1.1\r\nhost: shop.example\r\nconnection: close, x-mine\r\nx-mine: 1\r\nx-kept: 2\r\nte: trailers\r\n\r\n",
  );
  const { headers } = JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1));
  expect(headers).toMatchObject({ "x-kept": "2", "x-forwarded-host": "shop.example", "x-forwarded-for": "127.0.0.1" });
  expect(headers).not.toHaveProperty("x-mine");
  expect(headers).not.toHaveProperty("te");
  expect(headers["x-start-time"]).toMatch(/^\d{19}$/);
});

it("answers 413 to a length over the limit before the body comes", async () => {
  const length = limits.messageBytesMax + 1;
  const answer = await raw(`POST /function/echo HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n`, "x");
  expect(statusLine(answer)).toContain("413");
  expect(answer).toContain(`The body is over ${limits.messageBytesMax} bytes.`);
  await healthy();
});

it("answers 413 to a body that goes over the limit without saying so before", async () => {
  const chunk = new Uint8Array(1_048_576);
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      sent += chunk.length;
      if (sent > 2 * limits.messageBytesMax) controller.close();
      else controller.enqueue(chunk);
    },
  });
  const answer = await fetch(`${gateway.url}/function/echo`, { method: "POST", body, duplex: "half" } as RequestInit);
  expect(answer.status).toBe(413);
  await answer.text();
  await healthy();
});

it("hands on an answer that comes before the body is sent", async () => {
  const body = new Uint8Array(20_000_000);
  const answer = await fetch(`${gateway.url}/function/echo/early`, { method: "POST", body });
  expect([answer.status, await answer.text()]).toEqual([429, "busy"]);
  await healthy();
});

it("answers 504 when a function is silent longer than its exec_timeout", async () => {
  const answer = await fetch(`${gateway.url}/function/hasty/silent`);
  expect([answer.status, await answer.text()]).toEqual([504, "hasty did not answer within 200 ms.\n"]);
});

it("breaks off an answer that the function broke off, where its length was announced", async () => {
  const answer = await fetch(`${gateway.url}/function/echo/half`);
  expect(answer.status).toBe(200);
  await expect(answer.text()).rejects.toThrow();
  await expect.poll(async () => (await fetch(`${gateway.url}/function/echo`)).status, { timeout: 10_000 }).toBe(200);
});

it.each([
  ["that of its request", { "content-type": "application/x-protobuf" }, "application/x-protobuf"],
  ["text/plain where that has none", {}, "text/plain"],
])("gives an answer without a type %s, as OpenFaaS does", async (_, headers, type) => {
  const init = { method: "POST", headers, body: new Uint8Array(1) };
  expect((await fetch(`${gateway.url}/function/echo/plain`, init)).headers.get("content-type")).toBe(type);
});

it("survives clients that leave at any point", async () => {
  const request = "POST /function/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n12345";
  for (let length = 1; length <= request.length; length += 7) {
    await new Promise<void>((resolve) => {
      const socket = connect(port, "127.0.0.1", () =>
        socket.write(request.slice(0, length), () => socket.resetAndDestroy()),
      );
      socket.on("error", () => {});
      socket.on("close", () => resolve());
    });
  }
  await healthy();
});

it("does not start with a bundle that is not there, and says which", async () => {
  const absent = { ...fn("absent"), handler: "./functions/absent" };
  await expect(start(absent)).rejects.toThrow(/the function absent is not built: there is no .*absent\/index\.js/);
});

it("does not start with an exec_timeout that is no duration", async () => {
  await expect(start(fn("odd", { exec_timeout: "soon" }))).rejects.toThrow(
    "exec_timeout of the function odd: soon is not a duration like 30s or 1m30s",
  );
});

it("keeps one process of a function that is stopped and started at once, many times", async () => {
  const busy = await start(fn("echo"));
  const turns: Promise<void>[] = [];
  for (let turn = 0; turn < 5; turn += 1) turns.push(busy.stopFunction("echo"), busy.startFunction("echo"));
  await Promise.allSettled(turns);
  await expect.poll(async () => (await fetch(`${busy.url}/function/echo`)).status, { timeout: 10_000 }).toBe(200);
  await busy.stop();
  const pids = await readdir(join(buildDir, "echo")).then((names) => names.filter((name) => name.startsWith("pid-")));
  const alive = pids.filter((name) => isAlive(Number(name.slice(4))));
  expect(pids.length).toBeGreaterThan(1);
  // The two of the gateway that the other tests use.
  expect(alive).toHaveLength(2);
});
