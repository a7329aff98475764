/** What clients do wrong, and what a stop does to them: bytes on a socket. */
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createMemoryLog, type MemoryLog } from "#adapters/memory/log";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import { type HttpDoor, openHttpDoor } from "#runtime/http-door";
import { type AnsweringSidecar, answeringSidecar } from "#testing/answering-sidecar";
import { openTokens, type Tokens } from "#testing/tokens";
import { type App, createApp } from "./app.ts";
import { listenerOf } from "./listener.ts";

let tokens: Tokens;
let bearer: { authorization: string };
let sidecar: AnsweringSidecar;
let app: App;
let door: HttpDoor;
let log: MemoryLog;
const sockets: Socket[] = [];

async function open(listener: RequestListener): Promise<void> {
  door = await openHttpDoor({ host: "127.0.0.1", port: 0, listener, isReady: () => true });
}

beforeAll(async () => {
  tokens = await openTokens();
  bearer = await tokens.headerOf();
});
afterAll(() => tokens.remove());

beforeEach(async () => {
  sidecar = answeringSidecar();
  log = createMemoryLog();
  app = createApp({ api: sidecar, exchangeParty: "exchange", log, verify: tokens.verify });
  await open(listenerOf(app.fetch));
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await app.close();
  await door.drain(0);
});

function dial(): Socket {
  const socket = connect(door.port, "127.0.0.1");
  sockets.push(socket);
  return socket.on("error", () => {});
}

/** All that comes until the connection closes. */
async function answerTo(text: string, socket = dial()): Promise<string> {
  let got = "";
  socket.setEncoding("utf8").on("data", (more) => {
    got += more;
  });
  socket.write(text);
  await once(socket, "close");
  return got;
}

/** Resolves when the next query is on its way. */
function asked(): Promise<void> {
  const { request } = sidecar;
  return new Promise((resolve) => {
    sidecar.request = (envelope, signal) => {
      resolve();
      return request(envelope, signal);
    };
  });
}

const body = JSON.stringify({ providers: ["UVA"], sql: "SELECT 1" });
const head = (headers: Record<string, string> = {}) =>
  [
    "POST /v1/queries HTTP/1.1",
    ...Object.entries({ host: "h", "content-type": "application/json", ...bearer, ...headers }).map(
      ([name, value]) => `${name}: ${value}`,
    ),
    "",
    "",
  ].join("\r\n");
const post = (headers: Record<string, string> = {}) =>
  `${head({ "content-length": String(body.length), connection: "close", ...headers })}${body}`;

describe("a request that is wrong", () => {
  it.each(["a b", "h:port", "h/x", "[::1", "user@h", "a,b:x"])(
    "with `Host: %s` is a problem document",
    async (host) => {
      const answer = await answerTo(post({ host }));
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain("application/problem+json");
      expect(answer).toContain("INVALID_REQUEST");
    },
  );

  it.each(["h", "h:80", "[::1]:8080", "127.0.0.1", "orchestrator.openfaas-fn", "h_x"])(
    "not with `Host: %s`",
    async (host) => {
      expect(await answerTo(`GET /healthz HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`)).toMatch(
        /^HTTP\/1\.1 200 /,
      );
    },
  );

  it.each([
    ["charset=utf-16", { "content-type": "application/json; charset=utf-16" }],
    ["a compressed body", { "content-encoding": "gzip" }],
  ])("with %s is 415", async (_, headers) => {
    const answer = await answerTo(post(headers as Record<string, string>));
    expect(answer).toMatch(/^HTTP\/1\.1 415 /);
    expect(answer).toContain("UNSUPPORTED_MEDIA_TYPE");
  });

  it.each(["application/json; charset=utf-8", 'application/json; charset="UTF-8"'])("not with %s", async (type) => {
    sidecar.answers = { UVA: {} };
    expect(await answerTo(post({ "content-type": type, "content-encoding": "identity" }))).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("by its method is 405", async () => {
    expect(await answerTo("TRACE /v1/queries HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")).toContain(
      "METHOD_NOT_ALLOWED",
    );
  });

  it("is told so before its body is sent, when it asked", async () => {
    const answer = await answerTo(
      head({ "content-length": "10000000", expect: "100-continue", "content-type": "text/plain", connection: "close" }),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 415 /);
  });

  it("and one that is right is told to go on", async () => {
    sidecar.answers = { UVA: {} };
    const socket = dial();
    socket.write(head({ "content-length": String(body.length), expect: "100-continue", connection: "close" }));
    const [first] = await once(socket, "data");
    expect(String(first)).toMatch(/^HTTP\/1\.1 100 Continue/);
    expect(await answerTo(body, socket)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe("a body that does not come", () => {
  it("is 408 within its limit, also when a byte comes now and then, and the connection is closed", async () => {
    const socket = dial();
    const drip = setInterval(() => socket.write(" "), 500);
    const answer = await answerTo(head({ "content-length": "1000" }), socket).finally(() => clearInterval(drip));
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain("REQUEST_TIMEOUT");
    expect(answer).toMatch(/connection: close/i);
  }, 20_000);

  it("since its client left is logged as that", async () => {
    const socket = dial();
    socket.write(`${head({ "content-length": "1000" })}{"providers"`);
    await setTimeout(100);
    socket.destroy();
    await expect.poll(() => log.lines).toHaveLength(1);
    expect(log.lines[0]).toMatchObject({
      level: "info",
      fields: { reason: "the client left before its body was whole" },
    });
    expect(log.lines[0]?.fields.stack).toBeUndefined();
  });
});

describe("too much at once", () => {
  it("is 503 with Retry-After at once, for who comes next", async () => {
    await app.close();
    app = createApp({ api: sidecar, exchangeParty: "exchange", log, verify: tokens.verify, runningQueriesMax: 2 });
    await door.drain(0);
    await open(listenerOf(app.fetch));
    let release = () => {};
    sidecar.answers = { UVA: {} };
    sidecar.hold = new Promise((resolve) => {
      release = resolve;
    });
    const running = [answerTo(post()), answerTo(post())];
    await setTimeout(100);
    const refused = await answerTo(post());
    expect(refused).toMatch(/^HTTP\/1\.1 503 /);
    expect(refused).toMatch(/retry-after: \d+/i);
    expect(refused).toContain("OVERLOADED");
    release();
    for (const answer of await Promise.all(running)) expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(await answerTo(post())).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("at the broker is 503 with Retry-After too", async () => {
    // biome-ignore lint/correctness/useYield: it fails before its first reply
    sidecar.request = async function* () {
      throw new DynamosError(ErrorCode.OVERLOADED, "the queue exchange.policy-enforcer is full");
    };
    const refused = await answerTo(post());
    expect(refused).toMatch(/^HTTP\/1\.1 503 /);
    expect(refused).toMatch(/retry-after: \d+/i);
    expect(refused).toContain("OVERLOADED");
  });
});

describe("a stop", () => {
  it("tells who waits that the query is cancelled, before connections are cut", async () => {
    sidecar.hold = new Promise(() => {});
    const waiting = answerTo(post({ connection: "keep-alive" }));
    await asked();
    app.stopping(400);
    expect(await door.drain(400)).toBe(true);
    const answer = await waiting;
    expect(answer).toMatch(/^HTTP\/1\.1 409 /);
    expect(answer).toContain("CANCELLED");
    expect(answer).toContain("the orchestrator stopped");
    expect(sidecar.cancelled).toHaveLength(1);
  });

  it("lets what ends in time end", async () => {
    sidecar.answers = { UVA: {} };
    sidecar.hold = setTimeout(200);
    const waiting = answerTo(post());
    await asked();
    app.stopping(4_000);
    expect(await door.drain(4_000)).toBe(true);
    expect(await waiting).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe("an answer that fails", () => {
  const failing = (pieces: number) => {
    let left = pieces;
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        await setTimeout(5);
        if (left-- > 0) controller.enqueue(Buffer.from("piece\n"));
        else controller.error(new DynamosError(ErrorCode.TRANSFER_LOST, "gone"));
      },
    });
  };
  const get = "GET / HTTP/1.1\r\nhost: h\r\n\r\n";

  it("after its first bytes is cut off, without the end of a chunked body", async () => {
    await door.drain(0);
    await open(listenerOf(() => new Response(failing(5), { headers: { "content-type": "text/csv" } })));
    const answer = await answerTo(get);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toContain("piece");
    expect(answer).not.toMatch(/\r\n0\r\n/);
    expect(answer).not.toContain("gone");
  });

  it("before its first bytes is a problem document", async () => {
    await door.drain(0);
    await open(listenerOf(() => new Response(failing(0))));
    const answer = await answerTo(get.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"));
    expect(answer).toMatch(/^HTTP\/1\.1 500 /);
    expect(answer).toContain("TRANSFER_LOST");
  });

  it("to be taken for too long is cut off and given up", async () => {
    await door.drain(0);
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(Buffer.alloc(65_536)),
      cancel: () => {
        cancelled = true;
      },
    });
    await open(listenerOf(() => new Response(endless), 200));
    const socket = dial();
    socket.write(get);
    await once(socket, "readable");
    await expect.poll(() => cancelled, { timeout: 5_000 }).toBe(true);
  });
});
