/** Tables larger than a message through a function's door and its worker processes. */
import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Outcome } from "#contracts";
import { encodeChunk, pieceKinds, pieceParts, piecesType } from "#contracts/pieces";
import {
  chunkBytes,
  chunksSha256,
  decisionOf,
  passOnBody,
  passOnEnvelope,
  passOnStep,
  postPieces,
} from "#testing/passed-table";
import { type StartedFunction, startFunction } from "#testing/started-function";

let fn: StartedFunction;
beforeAll(async () => {
  fn = await startFunction(passOnStep, { pool_size: "1", concurrency: "2" });
});
afterAll(() => fn?.stop());

const post = (source: AsyncIterable<Uint8Array>, agent?: Agent) => postPieces(fn.url, source, agent);

const memoryMb = (pid: number) =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

describe("a table of 200 MB through a single-use step", () => {
  it("comes out as it went in, and the door's memory stays flat", { timeout: 180_000 }, async () => {
    const before = memoryMb(fn.child.pid ?? 0);
    const passed = await post(passOnBody(800));
    expect(passed).toMatchObject({ status: 200, contentType: piecesType, bytes: 800 * chunkBytes });
    expect(passed.sha256).toBe(chunksSha256(800));
    expect(decisionOf(passed)).toBe("forward");
    expect(memoryMb(fn.child.pid ?? 0) - before).toBeLessThan(100);
  });
});

describe("when a step", () => {
  it("fails in the middle, the outcome after its chunks says so", async () => {
    const passed = await post(passOnBody(40, "fail"));
    expect(decisionOf(passed)).toBe("DATA_UNREADABLE");
    expect(passed.bytes).toBeGreaterThan(0);
    expect(passed.bytes).toBeLessThan(40 * chunkBytes);
  });

  it("dies in the middle, the outcome after its chunks says so", async () => {
    expect(decisionOf(await post(passOnBody(40, "crash")))).toBe("WORKER_CRASHED");
  });

  it.each(["crash", "fail"])(
    "ends in the middle (%s), the next call on the connection is answered too",
    async (how) => {
      const one = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let time = 0; time < 3; time++) {
        expect(decisionOf(await post(passOnBody(40, how), one))).toMatch(/WORKER_CRASHED|DATA_UNREADABLE/);
        expect(decisionOf(await post(passOnBody(4), one))).toBe("forward");
      }
      one.destroy();
    },
  );

  it("ends in the middle, what its client still sends is read, and then the next call on the connection", async () => {
    const socket = connect(Number(new URL(fn.url).port), "127.0.0.1");
    const requestOf = async (source: AsyncIterable<Uint8Array>, more = "") => {
      const bytes = Buffer.concat(await all(source));
      const head = `POST / HTTP/1.1\r\nhost: x\r\ncontent-type: ${piecesType}\r\ncontent-length: ${bytes.length}\r\n${more}\r\n`;
      return Buffer.concat([Buffer.from(head), bytes]);
    };
    socket.write(await requestOf(passOnBody(40, "fail")));
    socket.write(await requestOf(passOnBody(4), "connection: close\r\n"));
    const answer = Buffer.concat(await all(socket)).toString("latin1");
    expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  });

  it("needs only the first of it, the rest is read before the answer begins", async () => {
    const passed = await post(passOnBody(200, "ignore"));
    expect(decisionOf(passed)).toBe("forward");
    expect(passed).toMatchObject({ status: 200, bytes: 0, wasSent: true });
  });

  it("has more to say than an outcome holds and the caller takes no pieces, it is refused with what to do", async () => {
    const response = await fetch(fn.url, {
      method: "POST",
      headers: { "content-type": piecesType, accept: "application/x-protobuf" },
      body: Buffer.concat(await all(passOnBody(4))),
    });
    expect(response.status).toBe(422);
    const { decision } = Outcome.decode(new Uint8Array(await response.arrayBuffer()));
    expect(decision).toMatchObject({ value: { message: expect.stringContaining(`accept ${piecesType}`) } });
  });
});

describe("a body of pieces", () => {
  const sent = async (bytes: Uint8Array) => {
    const response = await fetch(fn.url, {
      method: "POST",
      headers: { "content-type": piecesType, accept: "application/json" },
      body: Buffer.from(bytes),
    });
    return { status: response.status, text: await response.text() };
  };

  it.each([
    ["that is empty", new Uint8Array(0), "the first piece of the body must be the envelope"],
    ["that is none", Buffer.alloc(50, 0xff), "the body is not made of pieces"],
    ["without an envelope", Buffer.concat(pieceParts(2, encodeChunk(0, Buffer.alloc(3)))), "must be the envelope"],
    ["that announces more than a message holds", Buffer.from([0xff, 0xff, 0xff, 0x7f]), "is over the limit"],
  ])("%s is refused by name", async (_, bytes, message) => {
    const { status, text } = await sent(bytes);
    expect(status).toBe(400);
    expect(text).toContain("ERROR_CODE_ENVELOPE_INVALID");
    expect(text).toContain(message);
  });

  it("with a second envelope in it ends the call by name", async () => {
    const twice = async function* () {
      yield* passOnBody(1);
      yield* pieceParts(pieceKinds.envelope, passOnEnvelope());
    };
    expect(decisionOf(await post(twice()))).toBe("ENVELOPE_INVALID");
  });

  it("that breaks off ends the call, and the function answers the next one", async () => {
    const whole = Buffer.concat(await all(passOnBody(8)));
    const half = whole.subarray(0, whole.length / 2);
    const cut = async function* () {
      yield half;
    };
    expect(decisionOf(await post(cut()))).toBe("ENVELOPE_INVALID");
    expect(decisionOf(await post(passOnBody(2)))).toBe("forward");
  });
});

async function all(source: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return parts;
}
