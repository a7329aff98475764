/** Answers and bodies of any size go through the gateway as they come, at the pace of whoever takes them. */
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { type Gateway, startGateway } from "./start-gateway.ts";

/** Writes and takes megabytes, and tells how many. */
const fixture = `
const { createServer } = require("node:http");
const { once } = require("node:events");
let written = 0, taken = 0, left = 0;
const server = createServer(async (request, response) => {
  if (request.url === "/counts") return void response.end(JSON.stringify({ written, taken, left }));
  if (request.url === "/headers") {
    response.writeHead(206, { etag: '"e"', "content-range": "bytes 1-2/3", "accept-ranges": "bytes", vary: "Accept", "content-length": 2 });
    return void response.end(JSON.stringify([request.headers.range, request.headers["if-range"], request.headers.accept]).slice(0, 2));
  }
  if (request.url === "/seen") return void response.end(JSON.stringify(request.headers));
  if (request.url === "/take") {
    request.on("data", (chunk) => { taken += chunk.length; });
    request.pause();
    setTimeout(() => request.resume(), 1_500);
    return void request.on("end", () => response.end(String(taken)));
  }
  if (request.url === "/early") {
    response.write("begun");
    let bytes = 0;
    request.on("data", (chunk) => { bytes += chunk.length; });
    return void setTimeout(() => response.end(" " + bytes), 500);
  }
  const megabytes = Number(request.url.slice(1));
  written = 0;
  response.on("close", () => { if (!response.writableFinished) left += 1; });
  const piece = Buffer.alloc(65_536, "x");
  for (let i = 0; i < megabytes * 16 && !response.destroyed; i++) {
    written += piece.length;
    if (!response.write(piece)) await Promise.race([once(response, "drain"), once(response, "close")]);
    if (request.headers["x-die"] && i === 40) process.exit(1);
  }
  response.end();
});
server.listen(0, "127.0.0.1", () => {
  process.send({ event: "listening", port: server.address().port });
  process.send({ event: "ready" });
});
process.on("disconnect", () => process.exit(0));
`;

let buildDir: string;
let gateway: Gateway;

beforeAll(async () => {
  buildDir = await mkdtemp(join(tmpdir(), "dynamos-streaming-"));
  await mkdir(join(buildDir, "flow"));
  await writeFile(join(buildDir, "flow/index.js"), fixture);
  const flow = {
    name: "flow",
    lang: "node18-single-use",
    handler: "./functions/flow",
    image: "flow:latest",
    environment: {},
    secrets: [],
    labels: {},
    annotations: {},
    constraints: [],
    readonlyRootFilesystem: true,
  };
  gateway = await startGateway({
    stack: { path: "stack.yml", functions: [flow], copy: [] },
    buildDir,
    port: 0,
    environmentFor: () => ({}),
    log: createMemoryLog(),
  });
});
afterAll(async () => {
  await gateway?.stop();
  await rm(buildDir, { recursive: true, force: true });
});

const url = (path: string) => `${gateway.url}/function/flow${path}`;
const counts = async () =>
  (await (await fetch(url("/counts"))).json()) as { written: number; taken: number; left: number };

function get(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url(path), { headers, agent: false }, resolve).on("error", reject).end();
  });
}

/** Waits until a count no longer changes. */
async function settled(read: () => Promise<number> | number): Promise<number> {
  let last = -1;
  await expect
    .poll(
      async () => {
        const before = last;
        last = await read();
        await setTimeout(100);
        return last > 0 && before === last;
      },
      { timeout: 10_000 },
    )
    .toBe(true);
  return last;
}

describe("an answer through the gateway", () => {
  it("of 200 MB comes whole, and the gateway does not hold it", async () => {
    const before = process.memoryUsage().rss;
    let peak = 0;
    let bytes = 0;
    for await (const chunk of await get("/200")) {
      bytes += (chunk as Buffer).length;
      if (bytes % 10_485_760 < 65_536) peak = Math.max(peak, process.memoryUsage().rss);
    }
    expect(bytes).toBe(200 * 1_048_576);
    expect(peak - before).toBeLessThan(100_000_000);
  });

  it("waits for a client that reads slowly", async () => {
    const response = await get("/100");
    response.pause();
    const written = await settled(async () => (await counts()).written);
    // What the buffers of two connections hold, and no more.
    expect(written).toBeLessThan(70 * 1_048_576);
    let bytes = 0;
    for await (const chunk of response) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(100 * 1_048_576);
  });

  it("ends at the function when its client leaves", async () => {
    const { left } = await counts();
    const response = await get("/1000");
    await once(response, "readable");
    response.destroy();
    await expect.poll(async () => (await counts()).left, { timeout: 5_000 }).toBe(left + 1);
  });

  // Go's proxies end what they can't pass on any more. Clients compare the rows with X-Query-Rows (docs/answers.md, What a client checks).
  it("that breaks off looks whole where its length was not announced, as behind OpenFaaS", async () => {
    const response = await get("/100", { "x-die": "yes" });
    expect(response.statusCode).toBe(200);
    let bytes = 0;
    for await (const chunk of response) bytes += (chunk as Buffer).length;
    expect(response.complete).toBe(true);
    expect(bytes).toBeLessThan(100 * 1_048_576);
    await expect.poll(async () => (await fetch(url("/counts"))).status, { timeout: 10_000 }).toBe(200);
  });

  it("has its headers of ranges and formats", async () => {
    const response = await get("/headers");
    response.resume();
    expect(response.statusCode).toBe(206);
    expect(response.headers).toMatchObject({
      etag: '"e"',
      "content-range": "bytes 1-2/3",
      "accept-ranges": "bytes",
      vary: "Accept",
      "content-length": "2",
    });
    const asked = { accept: "text/csv", range: "bytes=1-", "if-range": '"e"', "if-none-match": 'W/"f"' };
    expect(await (await fetch(url("/seen"), { headers: asked })).json()).toMatchObject(asked);
  });
});

describe("a body through the gateway", () => {
  it("is passed on until the function's answer begins, as OpenFaaS does", async () => {
    const body = new Uint8Array(30 * 1_048_576);
    const [begun, bytes] = (await (await fetch(url("/early"), { method: "POST", body })).text()).split(" ");
    expect(begun).toBe("begun");
    expect(Number(bytes)).toBeLessThan(body.length);
    expect((await fetch(url("/counts"))).status).toBe(200);
  });

  it("waits for a function that takes it slowly, and comes whole", async () => {
    let sent = 0;
    const call: ClientRequest = request(url("/take"), { method: "POST", agent: false });
    const answered = once(call, "response") as Promise<[IncomingMessage]>;
    const piece = Buffer.alloc(65_536);
    const send = async () => {
      for (let i = 0; i < 40 * 16; i++) {
        sent += piece.length;
        if (!call.write(piece)) await once(call, "drain");
      }
      call.end();
    };
    const sending = send();
    await setTimeout(700);
    expect(sent).toBeLessThan(30 * 1_048_576);
    await sending;
    const [response] = await answered;
    let text = "";
    for await (const chunk of response) text += chunk;
    expect(text).toBe(String(40 * 1_048_576));
  });
});
