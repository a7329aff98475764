import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { systemClock } from "#adapters/system/clock";
import { createHttpExchange, type HttpExchange } from "./http-exchange.ts";

const idleMsMax = 100;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function open(answer: RequestListener): Promise<{ http: HttpExchange; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  // Never closes a connection by itself, and says nothing of it, as a server of Go.
  const server = createServer({ keepAlive: true, keepAliveTimeout: 0 }, answer);
  server.on("connection", (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const http = createHttpExchange(url, systemClock, idleMsMax);
  closing.push(async () => {
    http.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { http, sockets };
}

const post = (http: HttpExchange, body: Uint8Array | AsyncIterable<Uint8Array>) =>
  http.send(
    {
      method: "POST",
      path: "/",
      headers: {},
      body,
      whom: "function f",
      deadlineMs: Date.now() + 20_000,
      signal: new AbortController().signal,
    },
    async ({ whole }) => Buffer.from(await whole(1_000)).toString(),
  );

it("closes a connection that no call uses before the other side does", async () => {
  const { http, sockets } = await open((request, response) => void request.resume().on("end", () => response.end("a")));
  expect(await post(http, Buffer.from("1"))).toBe("a");
  await new Promise((resolve) => sockets[0]?.once("close", resolve));
  expect(await post(http, Buffer.from("2"))).toBe("a");
  expect(sockets).toHaveLength(2);
});

it("ends no call for it, however long nothing comes or goes", async () => {
  const { http, sockets } = await open(async (request, response) => {
    let bytes = 0;
    for await (const part of request) bytes += part.length;
    await sleep(5 * idleMsMax);
    response.write("a");
    await sleep(5 * idleMsMax);
    response.end(String(bytes));
  });
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("1");
    await sleep(5 * idleMsMax);
    yield Buffer.from("2");
  }
  expect(await post(http, slow())).toBe("a2");
  expect(await post(http, Buffer.from("123"))).toBe("a3");
  expect(sockets.length).toBeLessThanOrEqual(2);
});
