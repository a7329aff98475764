/** When a request is answered whose body nobody wants: bytes on a socket. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { createMemoryLog } from "#adapters/memory/log";
import { limits } from "#domain/limits";
import { answeringSidecar } from "#testing/answering-sidecar";
import { openTokens, type Tokens } from "#testing/tokens";
import { type App, createApp } from "./app.ts";
import { listenerOf } from "./listener.ts";

let tokens: Tokens;
let app: App;
let server: Server;
let bearer: string;
const sockets: Socket[] = [];
/** Of each request whose head has come. */
const arrived: IncomingMessage[] = [];
/** Whether its body was whole when its answer was, in the order of the answers. */
const wereWhole: boolean[] = [];

beforeAll(async () => {
  tokens = await openTokens();
  bearer = (await tokens.headerOf()).authorization;
  app = createApp({
    api: answeringSidecar(),
    exchangeParty: "exchange",
    log: createMemoryLog(),
    verify: tokens.verify,
  });
  const listener = listenerOf(app.fetch);
  server = createServer((request, response) => {
    arrived.push(request);
    response.once("finish", () => wereWhole.push(request.complete));
    listener(request, response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  arrived.length = 0;
  wereWhole.length = 0;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  await app.close();
  await tokens.remove();
});

/** @param fields of the request, as lines */
function post(...fields: string[]): Socket {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1").on("error", () => {});
  sockets.push(socket);
  socket.write(["POST /v1/queries HTTP/1.1", "host: h", ...fields, "", ""].join("\r\n"));
  return socket;
}

async function statusOf(socket: Socket): Promise<string> {
  const [first] = await once(socket, "data");
  return /^HTTP\/1\.1 (\d+)/.exec(String(first))?.[1] ?? String(first);
}

const megabyte = Buffer.alloc(1_048_576, 32);
const json = "content-type: application/json";

it.each([
  ["without a token", "401", [json]],
  ["in another type", "415", ["content-type: text/plain", "TOKEN"]],
  ["over its limit", "413", [json, "TOKEN"]],
])("a request %s is refused when its body has come", async (_, status, fields) => {
  const given = fields.map((field) => (field === "TOKEN" ? `authorization: ${bearer}` : field));
  const socket = post(...given, `content-length: ${2 * megabyte.length}`);
  const answer = statusOf(socket);
  await new Promise((sent) => socket.write(megabyte, sent));
  await expect.poll(() => arrived[0]?.socket.bytesRead).toBeGreaterThan(megabyte.length);
  expect(arrived[0]?.socket.bytesWritten).toBe(0);
  socket.write(megabyte);
  expect(await answer).toBe(status);
  await expect.poll(() => wereWhole).toEqual([true]);
});

it("a body that turns out to be over its limit is thrown away to its end, and none of it is kept", async () => {
  const socket = post(json, `authorization: ${bearer}`, "transfer-encoding: chunked");
  const answer = statusOf(socket);
  for (let i = 0; i < 12; i++) {
    socket.write(`${megabyte.length.toString(16)}\r\n`);
    socket.write(megabyte);
    await new Promise((sent) => socket.write("\r\n", sent));
  }
  socket.write("0\r\n\r\n");
  expect(await answer).toBe("413");
  await expect.poll(() => wereWhole).toEqual([true]);
  expect(arrived[0]?.readableLength).toBe(0);
});

it("a body that is announced as larger than any is refused before it comes", async () => {
  expect(await statusOf(post(json, `content-length: ${limits.unwantedBodyBytesMax + 1}`))).toBe("401");
  expect(arrived[0]?.listenerCount("data")).toBe(0);
});

it("a body without an end is refused while it comes", async () => {
  const socket = post(json, "transfer-encoding: chunked");
  const answer = statusOf(socket);
  let bytesWhenAnswered = 0;
  void answer.then(() => {
    bytesWhenAnswered = arrived[0]?.socket.bytesRead ?? 0;
  });
  while (bytesWhenAnswered === 0 && !socket.destroyed) {
    socket.write(`${megabyte.length.toString(16)}\r\n`);
    socket.write(megabyte);
    await new Promise((sent) => socket.write("\r\n", sent));
    await new Promise(setImmediate);
  }
  expect(await answer).toBe("401");
  expect(bytesWhenAnswered).toBeGreaterThan(limits.unwantedBodyBytesMax);
  expect(bytesWhenAnswered).toBeLessThan(3 * limits.unwantedBodyBytesMax);
  await expect.poll(() => wereWhole).toEqual([false]);
});

it("a sender who stops in the middle is refused all the same", async () => {
  const socket = post(json, "content-length: 1000");
  socket.write("{");
  expect(await statusOf(socket)).toBe("401");
}, 20_000);
