import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "#adapters/system/clock";
import { pieceParts, piecesType } from "#contracts/pieces";
import { limits } from "#domain/limits";
import type { Invocation, Invoker } from "#ports/invoker";
import { createOpenfaasInvoker } from "./invoker.ts";

/** A gateway that answers as each test says. */
let answer: RequestListener;
let server: Server;
let invoker: Invoker;
let sockets: Set<Socket>;
let url: string;

beforeEach(async () => {
  sockets = new Set();
  server = createServer((request, response) => answer(request, response));
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  invoker = createOpenfaasInvoker({ gatewayUrl: url, party: "UVA", clock: systemClock });
});

afterEach(async () => {
  await invoker.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const body = new Uint8Array([1, 2, 3]);
const options = (ms = 10_000) => ({ deadlineMs: Date.now() + ms, signal: new AbortController().signal });
const call: Invocation = { envelope: body, take: async () => {} };
const invoke = (ms?: number) => invoker.invoke("uva-echo", call, options(ms));

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const text = (status: number, message: string): RequestListener => {
  return (request, response) => {
    request.resume();
    response.writeHead(status, { "content-type": "text/plain" }).end(message);
  };
};

describe("invoke", () => {
  it("posts the envelope as protobuf to the function's route", async () => {
    const seen: unknown[] = [];
    answer = async (request, response) => {
      seen.push(request.method, request.url, request.headers["content-type"], [...(await read(request))]);
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end(Buffer.from([9]));
    };
    expect([...(await invoke())]).toEqual([9]);
    expect(seen).toEqual(["POST", "/function/uva-echo", "application/x-protobuf", [1, 2, 3]]);
  });

  it.each([400, 403, 429, 500, 503, 504])("takes an outcome also from status %i", async (status) => {
    answer = (request, response) => {
      request.resume();
      response.writeHead(status, { "content-type": "Application/X-Protobuf; v=1" }).end(Buffer.from([7]));
    };
    expect([...(await invoke())]).toEqual([7]);
  });

  it.each([
    [404, "FUNCTION_UNAVAILABLE", "function uva-echo is not deployed"],
    [401, "FUNCTION_UNAVAILABLE", "function uva-echo is closed to this caller (status 401)"],
    [413, "BODY_TOO_LARGE", "function uva-echo takes no body of this size"],
    [429, "OVERLOADED", "function uva-echo has no room for another call"],
    [500, "FUNCTION_UNAVAILABLE", "function uva-echo answered with status 500 and without an outcome"],
    [502, "FUNCTION_UNAVAILABLE", "function uva-echo is not running (status 502)"],
    [503, "FUNCTION_UNAVAILABLE", "function uva-echo is not running (status 503)"],
    [504, "FUNCTION_UNAVAILABLE", "function uva-echo did not answer within the gateway's time limit"],
    [200, "INTERNAL", "function uva-echo answered with status 200 and without an outcome"],
  ])("names what a text answer with status %i means: %s", async (status, label, message) => {
    answer = text(status, "row 7 has salary 4200");
    await expect(invoke()).rejects.toMatchObject({ label, message });
  });

  it("does not take an empty 200 for an outcome", async () => {
    answer = (request, response) => {
      request.resume();
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
    };
    await expect(invoke()).rejects.toMatchObject({
      label: "INTERNAL",
      message: expect.stringMatching(/empty outcome/),
    });
  });

  const chunk = () => Buffer.concat(pieceParts(2, Buffer.from([0x12, 1, 9])));
  it.each([
    ["before its outcome", chunk(), "FUNCTION_UNAVAILABLE", /ended before its outcome/],
    ["within a piece", Buffer.concat([chunk(), chunk().subarray(0, 3)]), "FUNCTION_UNAVAILABLE", /within a piece/],
    ["before its first piece", Buffer.alloc(0), "FUNCTION_UNAVAILABLE", /ended before its outcome/],
    ["after bytes that are no pieces", Buffer.alloc(9, 0xff), "INTERNAL", /not made of pieces/],
    ["after a chunk that is none", Buffer.concat(pieceParts(2, Buffer.from([0x12, 9]))), "INTERNAL", /./],
  ])("takes an answer in pieces that ends %s, as if it were whole, for what it is", async (_, sent, label, message) => {
    answer = (request, response) => {
      request.resume();
      response.writeHead(200, { "content-type": piecesType }).end(sent);
    };
    await expect(invoke()).rejects.toMatchObject({ label, message: expect.stringMatching(message) });
  });

  describe.each([piecesType, "application/x-protobuf"])("an answer of OpenFaaS itself of the type %s", (type) => {
    const noOutcome = "function uva-echo answered with status 500 and without an outcome";
    it.each([
      [500, "FUNCTION_UNAVAILABLE", noOutcome],
      [504, "FUNCTION_UNAVAILABLE", "function uva-echo did not answer within the gateway's time limit"],
      [429, "OVERLOADED", "function uva-echo has no room for another call"],
    ])("is no outcome where it is empty with status %i", async (status, label, message) => {
      answer = (request, response) => {
        request.resume();
        response.writeHead(status, { "content-type": type }).end();
      };
      await expect(invoke()).rejects.toMatchObject({ label, message });
    });

    it("is no outcome where it says that it is OpenFaaS'", async () => {
      answer = (request, response) => {
        request.resume();
        const headers = { "content-type": type, "x-openfaas-internal": "of-watchdog" };
        response.writeHead(500, headers).end(Buffer.concat(pieceParts(3, Buffer.from([7]))));
      };
      await expect(invoke()).rejects.toMatchObject({ label: "FUNCTION_UNAVAILABLE", message: noOutcome });
    });
  });

  it("takes an outcome in pieces also from status 503", async () => {
    answer = (request, response) => {
      request.resume();
      response.writeHead(503, { "content-type": piecesType }).end(Buffer.concat(pieceParts(3, Buffer.from([7]))));
    };
    expect([...(await invoke())]).toEqual([7]);
  });

  it("fails by name when the answer breaks off", async () => {
    answer = (_request, response) => {
      response.writeHead(200, { "content-type": "application/x-protobuf", "content-length": "100" });
      response.write(Buffer.from([1]), () => response.destroy());
    };
    await expect(invoke()).rejects.toMatchObject({
      label: "FUNCTION_UNAVAILABLE",
      message: expect.stringMatching(/broke off/),
    });
  });

  it("fails by name when the connection is reset before an answer", async () => {
    answer = (request) => request.socket.destroy();
    await expect(invoke()).rejects.toMatchObject({
      label: "FUNCTION_UNAVAILABLE",
      message: expect.stringMatching(/connection lost/),
    });
  });

  it("fails by name when nobody listens", async () => {
    await new Promise((resolve) => server.close(resolve));
    await expect(invoke()).rejects.toMatchObject({
      label: "FUNCTION_UNAVAILABLE",
      message: expect.stringMatching(/connection refused/),
    });
  });

  it("fails by name on what is not HTTP", async () => {
    answer = (request) => request.socket.end("220 mail.example.org ESMTP\r\n");
    await expect(invoke()).rejects.toMatchObject({ label: "FUNCTION_UNAVAILABLE" });
  });

  it("sends again when a kept-alive connection was closed at the same moment", async () => {
    let calls = 0;
    answer = async (request, response) => {
      calls += 1;
      await read(request);
      if (calls === 2) return request.socket.destroy();
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end(Buffer.from([calls]));
    };
    expect([...(await invoke())]).toEqual([1]);
    expect([...(await invoke())]).toEqual([3]);
  });

  it.each([
    ["takes what a step hands on before the outcome, in order", true],
    ["refuses what is handed on where nobody let the function go on", false],
  ])("%s", async (_, isFused) => {
    answer = async (request, response) => {
      await read(request);
      const pieces = [
        [4, 1],
        [4, 2],
        [3, 3],
      ].flatMap(([kind = 0, byte = 0]) => pieceParts(kind, Buffer.from([byte])));
      response.writeHead(200, { "content-type": piecesType }).end(Buffer.concat(pieces));
    };
    const handed: number[] = [];
    const handedOn = async (outcome: Uint8Array) => void handed.push(...outcome);
    const invoked = invoker.invoke("uva-echo", { ...call, ...(isFused ? { handedOn } : {}) }, options());
    if (isFused) expect([...(await invoked)]).toEqual([3]);
    else
      await expect(invoked).rejects.toMatchObject({ label: "INTERNAL", message: expect.stringMatching(/not told to/) });
    expect(handed).toEqual(isFused ? [1, 2] : []);
  });

  it("stops reading an answer over the limit", async () => {
    let written = 0;
    answer = (request, response) => {
      request.resume();
      response.writeHead(200, { "content-type": "application/x-protobuf" });
      const chunk = Buffer.alloc(1_048_576);
      const more = () => {
        while (!response.destroyed && written < 4 * limits.messageBytesMax) {
          written += chunk.length;
          if (!response.write(chunk)) return void response.once("drain", more);
        }
        response.end();
      };
      more();
    };
    await expect(invoke(25_000)).rejects.toMatchObject({ label: "RESULT_TOO_LARGE" });
    expect(written).toBeLessThan(2 * limits.messageBytesMax);
  });

  it("closes the connection of a call that its deadline ended, so that the function can stop", async () => {
    const closed = new Promise<void>((resolve) => {
      answer = (request) => void request.socket.once("close", () => resolve());
    });
    await expect(invoke(100)).rejects.toMatchObject({ label: "DEADLINE_EXCEEDED" });
    await closed;
  });

  it("uses one connection for calls one after another, and leaves none after close", async () => {
    let connections = 0;
    server.on("connection", () => {
      connections += 1;
    });
    answer = (request, response) => {
      request.resume();
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end(Buffer.from([1]));
    };
    for (let index = 0; index < 20; index += 1) await invoke();
    expect(connections).toBe(1);
    const gone = [...sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve)));
    await invoker.close();
    await Promise.all(gone);
    expect(sockets.size).toBe(0);
  });

  it("fails the calls in hand when it is closed", async () => {
    const arrived = new Promise<void>((resolve) => {
      answer = () => resolve();
    });
    const call = expect(invoke()).rejects.toMatchObject({ label: "FUNCTION_UNAVAILABLE" });
    await arrived;
    await invoker.close();
    await call;
  });
});

describe("steps", () => {
  const list = (value: unknown): RequestListener => {
    return (request, response) => {
      request.resume();
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
    };
  };

  it("takes the party's functions alone, each topic of a comma list", async () => {
    answer = list([
      { name: "uva-sql-query", annotations: { topic: "uva.sql-query", "com.dynamos.concurrency": "9" } },
      { name: "uva-two", annotations: { topic: "uva.a, uva.b ,vu.c,", "com.dynamos.party": "uva" } },
      { name: "foreign", annotations: { topic: "uva.sql-query", "com.dynamos.party": "VU" } },
      { name: "vu-sql-query", annotations: { topic: "vu.sql-query", "com.dynamos.party": "VU" } },
      { name: "uvax", annotations: { topic: "uvax.sql-query" } },
      { name: "orchestrator", annotations: null },
      { name: "plain" },
    ]);
    expect(await invoker.steps()).toEqual([
      { name: "uva-sql-query", topic: "uva.sql-query", concurrency: 9 },
      { name: "uva-two", topic: "uva.a", concurrency: limits.concurrencyDefault },
      { name: "uva-two", topic: "uva.b", concurrency: limits.concurrencyDefault },
    ]);
  });

  it("takes null for an empty list, as gateways in Go answer it", async () => {
    answer = list(null);
    expect(await invoker.steps()).toEqual([]);
  });

  it("sends the credentials under /system/ and nowhere else", async () => {
    const seen: (string | undefined)[] = [];
    answer = (request, response) => {
      seen.push(request.headers.authorization);
      list([])(request, response);
    };
    const closed = createOpenfaasInvoker({
      gatewayUrl: `${url}/base/`,
      auth: { user: "admin", password: "pass:word" },
      party: "UVA",
      clock: systemClock,
    });
    await closed.steps();
    await closed.invoke("uva-echo", call, options()).catch(() => {});
    await closed.close();
    expect(seen).toEqual([`Basic ${Buffer.from("admin:pass:word").toString("base64")}`, undefined]);
  });

  it.each([
    ["not JSON", text(200, "<html>"), /not JSON/],
    ["not a list", list({ functions: [] }), /not a list/],
    ["a function without a name", list([{ image: "x" }]), /without a name/],
    ["a list with null", list([null]), /without a name/],
    ["401", text(401, "invalid credentials"), /does not accept these credentials/],
    ["500", text(500, "panic"), /status 500/],
    [
      "a concurrency that is no number",
      list([{ name: "f", annotations: { topic: "uva.f", "com.dynamos.concurrency": "many" } }]),
      /com.dynamos.concurrency of f must be a whole number/,
    ],
    [
      "fused steps that are none",
      list([{ name: "f", annotations: { topic: "uva.f", "com.dynamos.fuse": "sql-graph,*" } }]),
      /com.dynamos.fuse of f must name steps/,
    ],
  ])("fails with FUNCTION_UNAVAILABLE on %s", async (_, listener, message) => {
    answer = listener;
    await expect(invoker.steps()).rejects.toMatchObject({
      label: "FUNCTION_UNAVAILABLE",
      message: expect.stringMatching(message),
    });
  });

  it("says which steps a function's process may go on with", async () => {
    const annotations = { topic: "uva.sql-query", "com.dynamos.fuse": "sql-algorithm, sql-graph" };
    answer = list([
      { name: "uva-sql-query", annotations },
      { name: "uva-f", annotations: { topic: "uva.f" } },
    ]);
    const [fused, apart] = await invoker.steps();
    expect(fused?.fuses).toEqual(["sql-algorithm", "sql-graph"]);
    expect(apart).not.toHaveProperty("fuses");
  });

  it("fails with FUNCTION_UNAVAILABLE on a list over the size limit", async () => {
    answer = text(200, " ".repeat(limits.gatewayListBytesMax + 1));
    await expect(invoker.steps()).rejects.toMatchObject({
      label: "FUNCTION_UNAVAILABLE",
      message: expect.stringMatching(/over the limit/),
    });
  });
});

it.each(["ftp://host", "host:8080", "", "http://user:pass@host"])(
  "does not start with the gateway URL %j",
  (gatewayUrl) => {
    expect(() => createOpenfaasInvoker({ gatewayUrl, party: "UVA", clock: systemClock })).toThrow(RangeError);
  },
);
