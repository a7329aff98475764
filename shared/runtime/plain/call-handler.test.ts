import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { callHandler, type Handler } from "./call-handler.ts";
import type { HandlerEvent } from "./handler-event.ts";
import { decodeAnswer, encodeCall, type PlainCall } from "./plain-call.ts";

interface Asked extends Partial<Omit<PlainCall, "body">> {
  readonly body?: string | Uint8Array;
  readonly rawBody?: boolean;
  readonly bytesMax?: number;
}

async function ask(handler: Handler, { body = "", rawBody = false, bytesMax = 1_000_000, ...call }: Asked = {}) {
  const reports: unknown[] = [];
  const bytes = encodeCall({ method: "POST", url: "/", headers: {}, ...call, body: Buffer.from(body) });
  const answer = decodeAnswer(await callHandler(handler, bytes, { rawBody, bytesMax }, (error) => reports.push(error)));
  const type = answer.headers["content-type"];
  return { status: answer.status, type, headers: answer.headers, text: Buffer.from(answer.body).toString(), reports };
}

/** The event that a handler gets of it; undefined: none was called. */
async function eventOf(asked: Asked): Promise<HandlerEvent | undefined> {
  const events: HandlerEvent[] = [];
  await ask((event) => void events.push(event), asked);
  return events[0];
}

const typed = (type: string) => ({ "content-type": type });
const echo: Handler = ({ body }) => body;

describe("what a handler says becomes the answer:", () => {
  it.each<[string, unknown, string | undefined, string]>([
    ["an object", { a: 1 }, "application/json; charset=utf-8", '{"a":1}'],
    ["a list", [1, 2], "application/json; charset=utf-8", "[1,2]"],
    ["a number", 42, "application/json; charset=utf-8", "42"],
    ["zero", 0, "application/json; charset=utf-8", "0"],
    ["false", false, "application/json; charset=utf-8", "false"],
    ["a large integer", 2n ** 60n, "application/json; charset=utf-8", "1152921504606846976"],
    ["a text", "<b>hi</b>", "text/html; charset=utf-8", "<b>hi</b>"],
    ["bytes", Buffer.from("raw"), "application/octet-stream", "raw"],
    ["nothing", undefined, undefined, ""],
    ["null", null, undefined, ""],
  ])("%s", async (_, value, type, text) => {
    for (const handler of [
      async () => value,
      (_event: unknown, context: { succeed(v: unknown): void }) => context.succeed(value),
    ])
      expect(await ask(handler as Handler)).toMatchObject({ status: 200, type, text, reports: [] });
  });

  it("with the status and headers that it set, those of the connection left out", async () => {
    const handler: Handler = async (_, context) =>
      context
        .status(201)
        .headers({ "Content-Type": "text/csv", "Set-Cookie": ["a=1", "b=2"], "Content-Length": "1", x: 5 })
        .succeed("a,b");
    const { status, headers, text } = await ask(handler);
    expect([status, text]).toEqual([201, "a,b"]);
    expect(headers).toEqual({ "content-type": "text/csv", "set-cookie": ["a=1", "b=2"], x: "5" });
  });

  it("and only the first counts, the others are logged", async () => {
    const twice: Handler = async (_, context, callback) => {
      context.succeed("first");
      context.succeed("second");
      context.fail("third");
      callback("fourth");
      throw new Error("fifth");
    };
    const { status, text, reports } = await ask(twice);
    expect([status, text]).toEqual([200, "first"]);
    expect(reports.slice(0, 3)).toEqual(
      ["succeeded", "failed", "failed"].map(
        (how) => `the handler had answered already: that it has ${how} is only logged`,
      ),
    );
  });

  it("by a callback too, which is waited for", async () => {
    const later: Handler = (_event, _context, callback) => void setTimeout(() => callback(null, "later"), 5);
    expect(await ask(later)).toMatchObject({ status: 200, text: "later" });
    const failing: Handler = (_event, _context, callback) => callback(new Error("no such thing"));
    expect(await ask(failing)).toMatchObject({ status: 500, text: "Error: no such thing" });
  });
});

describe("a handler that fails", () => {
  it.each<[string, Handler]>([
    [
      "throws",
      () => {
        throw new Error("a secret");
      },
    ],
    [
      "rejects",
      async () => {
        throw new Error("a secret");
      },
    ],
    [
      "throws after it set a status",
      async (_, context) => {
        context.status(200);
        throw new Error("a secret");
      },
    ],
    [
      "throws what is no error",
      async () => {
        throw "a secret";
      },
    ],
    ["rejects with nothing", () => Promise.reject()],
  ])("by what it %s is a 500 that says no more, and logged", async (_, handler) => {
    const { status, type, text, reports } = await ask(handler);
    expect([status, type]).toEqual([500, "application/problem+json"]);
    expect(JSON.parse(text)).toMatchObject({
      code: "INTERNAL",
      detail: "the handler failed; the function's log says why",
    });
    expect(text).not.toContain("secret");
    expect(reports).toHaveLength(1);
  });

  it("on purpose says what it wants, with its status and headers", async () => {
    const failed =
      (status?: number): Handler =>
      async (_, context) => {
        if (status !== undefined) context.status(status);
        context.headers({ "x-why": "so" }).fail({ reason: "no" });
      };
    expect(await ask(failed())).toMatchObject({ status: 500, text: '{"reason":"no"}', headers: { "x-why": "so" } });
    expect(await ask(failed(404))).toMatchObject({ status: 404, reports: [{ reason: "no" }] });
    const texts = await ask(async (_, context) => context.fail("<script>"));
    expect(texts).toMatchObject({ type: "text/plain; charset=utf-8", text: "<script>" });
    const { text } = await ask(async (_, context) => context.fail(new TypeError("not that")));
    expect(text).toBe("TypeError: not that");
  });

  it.each<[string, Handler]>([
    ["a status out of range", async (_, context) => context.status(99).succeed("x")],
    ["a header with a line break", async (_, context) => context.headers({ a: "b\r\nc: d" }).succeed("x")],
    [
      "a ring",
      async () => {
        const ring: Record<string, unknown> = {};
        ring.ring = ring;
        return ring;
      },
    ],
    ["a function", async () => () => 1],
    ["a stream", async () => process.stdin],
  ])("by %s is a 500", async (_, handler) => {
    expect(await ask(handler)).toMatchObject({ status: 500, type: "application/problem+json" });
  });
});

describe("the event's body is", () => {
  it.each<[string, string, string, unknown]>([
    ["the value of JSON", "application/json; charset=utf-8", '{"a":[1]}', { a: [1] }],
    ["the value of JSON of a vendor", "application/vnd.x+json", "5", 5],
    ["the text of a text", "text/csv", "a,b", "a,b"],
    ["the fields of a form", "application/x-www-form-urlencoded", "a=1&a=2&b[c]=3", { a: ["1", "2"], b: { c: "3" } }],
  ])("%s", async (_, type, body, expected) => {
    const seen = (await eventOf({ headers: typed(type), body }))?.body;
    expect(seen).toEqual(expected);
  });

  it("a Buffer for every other type, byte for byte", async () => {
    const bytes = Buffer.from([0, 255, 128, 10]);
    const seen = (await eventOf({ headers: typed("application/octet-stream"), body: bytes }))?.body;
    expect(Buffer.isBuffer(seen)).toBe(true);
    expect(seen).toEqual(bytes);
  });

  it("a Buffer for all types with RAW_BODY", async () => {
    const raw = await eventOf({ headers: typed("application/json"), body: "{", rawBody: true });
    expect(raw?.body).toEqual(Buffer.from("{"));
  });

  it("a text where no type is given, and {} where there is no body", async () => {
    expect(await eventOf({ body: "hi" })).toMatchObject({ body: "hi", headers: typed("text/plain") });
    expect((await eventOf({ method: "GET" }))?.body).toEqual({});
  });

  it("unpacked, up to the limit", async () => {
    const headers = { ...typed("text/plain"), "content-encoding": "gzip" };
    expect(await ask(echo, { headers, body: gzipSync("hello") })).toMatchObject({ status: 200, text: "hello" });
    const bomb = { headers, body: gzipSync(Buffer.alloc(100_000)), bytesMax: 1_000 };
    expect(await ask(echo, bomb)).toMatchObject({ status: 413 });
    expect(await ask(echo, { headers, body: "no gzip" })).toMatchObject({ status: 400 });
  });

  it.each([
    [400, "the body is not JSON", { headers: typed("application/json"), body: "{" }],
    [415, "charset", { headers: typed("text/plain; charset=klingon"), body: "x" }],
    [415, "content-encoding", { headers: { "content-encoding": "zip" }, body: "x" }],
  ])("not handed on when it is not what it says: %s, %s", async (status, word, call) => {
    const answer = await ask(echo, call);
    expect([answer.status, await eventOf(call)]).toEqual([status, undefined]);
    expect(JSON.parse(answer.text).detail).toContain(word);
  });
});

it("the event has method, headers, path and query", async () => {
  const seen = await eventOf({
    method: "PURGE",
    url: "/a%20b/c?x=1&x=2&y[z][]=3&__proto__[a]=4&q=a%3Fb",
    headers: { "x-a": "b" },
  });
  expect(seen).toEqual({
    body: {},
    method: "PURGE",
    path: "/a%20b/c",
    headers: { "x-a": "b", "content-type": "text/plain" },
    query: { x: ["1", "2"], y: { z: ["3"] }, q: "a?b" },
  });
  expect(({} as { a?: string }).a).toBeUndefined();
});
