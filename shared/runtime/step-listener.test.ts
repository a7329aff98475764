import { afterEach, describe, expect, it } from "vitest";
import { Envelope, Outcome } from "#contracts";
import { limits } from "#domain/limits";
import { fail } from "#domain/outcome";
import { labelOf } from "#errors";
import { exchange } from "#testing/exchange";
import { type HttpDoor, openHttpDoor } from "./http-door.ts";
import { jsonLog } from "./json-log.ts";
import type { StepInvoker } from "./step-invoker.ts";
import { stepListener } from "./step-listener.ts";

const doors: HttpDoor[] = [];
afterEach(() => Promise.all(doors.splice(0).map((door) => door.drain(0))));

type Invoke = StepInvoker["invoke"];
const answer = async (bytes: Uint8Array) => ({ outcome: bytes, worker: "1-a" });
const cancelled = Outcome.encode(fail(63, "it went right")).finish();

async function open(invoke: Invoke, requestsMax = 4): Promise<{ url: string; port: number }> {
  const door = await openHttpDoor({
    host: "127.0.0.1",
    port: 0,
    isReady: () => true,
    listener: stepListener({
      step: { name: "one", accepts: "nothing" },
      invoker: { isReady: () => true, invoke, close: async () => {} },
      build: "b1",
      requestsMax,
      loadJson: () => import("./json-codec.ts"),
      log: jsonLog({}, () => {}),
    }),
  });
  doors.push(door);
  return { url: `http://127.0.0.1:${door.port}/`, port: door.port };
}

const envelope = () => Envelope.fromPartial({ queryId: "q", step: "one", deadlineMs: Date.now() + 20_000 });
const post = (
  url: string,
  headers: Record<string, string>,
  body: string | Uint8Array<ArrayBuffer>,
  signal?: AbortSignal,
) => fetch(url, { method: "POST", headers, body, ...(signal === undefined ? {} : { signal }) });
const protobuf = () => new Uint8Array(Envelope.encode(envelope()).finish());

describe("a step's listener", () => {
  it.each([
    ["application/x-protobuf", undefined, "application/x-protobuf"],
    ["application/protobuf", undefined, "application/x-protobuf"],
    ["application/octet-stream", undefined, "application/x-protobuf"],
    ["application/x-protobuf", "application/json", "application/json"],
    ["application/json; charset=utf-8", undefined, "application/json"],
    ["application/json", "application/x-protobuf", "application/x-protobuf"],
  ])("takes %s and, asked for %s, answers in %s", async (type, accept, answered) => {
    const { url } = await open(() => answer(cancelled));
    const body = type.startsWith("application/json")
      ? JSON.stringify({ queryId: "q", step: "one", deadlineMs: Date.now() + 20_000 })
      : protobuf();
    const response = await post(url, { "content-type": type, ...(accept === undefined ? {} : { accept }) }, body);
    expect([response.status, response.headers.get("content-type")]).toEqual([409, answered]);
    expect(response.headers.get("x-dynamos-worker")).toBe("1-a");
    expect(response.headers.get("x-dynamos-build")).toBe("b1");
    const bytes = Buffer.from(await response.arrayBuffer());
    const message = "it went right";
    if (answered === "application/json") {
      expect(JSON.parse(bytes.toString())).toEqual({ failure: { code: "ERROR_CODE_CANCELLED", message } });
    } else {
      expect(Outcome.decode(bytes).decision).toMatchObject({ $case: "failure", value: { message } });
    }
  });

  it("hands the invoker the envelope's deadline, cut to the longest invocation", async () => {
    const deadlines: number[] = [];
    const { url } = await open((_, { deadlineMs }) => {
      deadlines.push(deadlineMs);
      return answer(cancelled);
    });
    const soon = envelope();
    const far = { ...soon, deadlineMs: Date.now() + 100 * limits.invocationMsMax };
    for (const each of [soon, far]) {
      await post(url, { "content-type": "application/x-protobuf" }, new Uint8Array(Envelope.encode(each).finish()));
    }
    expect(deadlines[0]).toBe(soon.deadlineMs);
    expect(deadlines[1]).toBeLessThanOrEqual(Date.now() + limits.invocationMsMax);
  });

  it("answers 503 with Retry-After when too many calls are in hand", async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let invoked = 0;
    const { url } = await open(async () => {
      invoked++;
      await held;
      return answer(cancelled);
    }, 1);
    const first = post(url, { "content-type": "application/x-protobuf" }, protobuf());
    await expect.poll(() => invoked).toBe(1);
    const second = await post(url, { "content-type": "application/x-protobuf" }, protobuf());
    expect([second.status, second.headers.get("retry-after")]).toEqual([503, "1"]);
    const { decision } = Outcome.decode(new Uint8Array(await second.arrayBuffer()));
    expect(decision?.$case === "failure" && labelOf(decision.value.code)).toBe("OVERLOADED");
    release();
    expect((await first).status).toBe(409);
  });

  it("aborts the invocation when its client goes away", async () => {
    let aborted = false;
    let invoked = false;
    const { url } = await open(
      (_, { signal }) =>
        new Promise((resolve) => {
          invoked = true;
          signal.addEventListener("abort", () => {
            aborted = true;
            resolve(answer(cancelled));
          });
        }),
    );
    const client = new AbortController();
    const call = post(url, { "content-type": "application/x-protobuf" }, protobuf(), client.signal).catch(() => "gone");
    await expect.poll(() => invoked).toBe(true);
    client.abort();
    expect(await call).toBe("gone");
    await expect.poll(() => aborted).toBe(true);
  });

  it("calls a reply that is no outcome a defect", async () => {
    const { url } = await open(() => answer(new Uint8Array(0)));
    const response = await post(url, { "content-type": "application/x-protobuf" }, protobuf());
    expect(response.status).toBe(500);
    expect(Outcome.decode(new Uint8Array(await response.arrayBuffer())).decision).toMatchObject({
      $case: "failure",
      value: { message: "the step decided nothing", step: "one" },
    });
  });

  it.each([
    ["announced", `content-length: ${limits.messageBytesMax + 1}\r\n`],
    [
      "announced, and held back by the client",
      `content-length: ${limits.messageBytesMax + 1}\r\nexpect: 100-continue\r\n`,
    ],
  ])("refuses a body over the limit before it comes, when that is %s", async (_, headers) => {
    const { port } = await open(() => answer(cancelled));
    const text = await exchange(port, `POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n${headers}\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(text).toContain("ERROR_CODE_BODY_TOO_LARGE");
  });

  it("stops reading a body of unknown length at the limit", async () => {
    const { url } = await open(() => answer(cancelled));
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1_048_576;
        controller.enqueue(new Uint8Array(1_048_576));
        if (sent > 4 * limits.messageBytesMax) controller.close();
      },
    });
    const init = { method: "POST", headers: { "content-type": "application/x-protobuf" }, body, duplex: "half" };
    const response = await fetch(url, init as RequestInit);
    expect(response.status).toBe(413);
    await response.arrayBuffer();
    expect(sent).toBeLessThan(4 * limits.messageBytesMax);
  });
});
