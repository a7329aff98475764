import { Agent, get, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type HttpDoor, openHttpDoor } from "./http-door.ts";

const doors: HttpDoor[] = [];
afterEach(() => Promise.all(doors.splice(0).map((door) => door.drain(0))));

async function open(listener: (response: ServerResponse) => void, isReady = () => true): Promise<HttpDoor> {
  const door = await openHttpDoor({
    host: "127.0.0.1",
    port: 0,
    listener: (_, response) => listener(response),
    isReady,
  });
  doors.push(door);
  return door;
}

const url = (door: HttpDoor, path = "/") => `http://127.0.0.1:${door.port}${path}`;

it("is healthy from the start and ready when its function is", async () => {
  let ready = false;
  const door = await open(
    (response) => response.end("other"),
    () => ready,
  );
  const statuses = async () => [
    (await fetch(url(door, "/_/ready"))).status,
    (await fetch(url(door, "/_/health"))).status,
    (await fetch(url(door, "/_/else"))).status,
  ];
  expect(await statuses()).toEqual([503, 200, 200]);
  ready = true;
  expect(await statuses()).toEqual([200, 200, 200]);
});

it("lets calls end while it drains, takes no more, and closes connections that only wait", async () => {
  const held: ServerResponse[] = [];
  const door = await open((response) => held.push(response));
  const idle = new Agent({ keepAlive: true });
  await new Promise((done) => get(url(door, "/_/health"), { agent: idle }, (r) => r.resume().on("end", done)));
  const call = fetch(url(door));
  await expect.poll(() => held.length).toBe(1);
  const drained = door.drain(10_000);
  await expect.poll(() => fetch(url(door, "/_/health")).catch(() => "refused")).toBe("refused");
  held[0]?.end("done");
  const response = await call;
  expect([await response.text(), response.headers.get("connection")]).toEqual(["done", "close"]);
  expect(await drained).toBe(true);
  idle.destroy();
});

describe("a request on its way when the drain begins", () => {
  const request = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

  function answered(socket: Socket): Promise<string> {
    let answer = "";
    socket.setEncoding("latin1").on("data", (text) => {
      answer += text;
    });
    return new Promise((done) => {
      socket.once("close", () => done(answer));
      socket.on("error", (error) => done(String(error)));
    });
  }

  it("is answered on a connection that the door has not accepted yet", async () => {
    const door = await open((response) => response.end("done"));
    const socket = connect(door.port, "127.0.0.1");
    const answer = answered(socket);
    socket.write(request);
    // Connecting is the next thing that Node does; the door can't have looked at its socket by then.
    await new Promise((next) => process.nextTick(next));
    const drained = door.drain(10_000);
    expect(await answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*done/i);
    expect(await drained).toBe(true);
  });

  it("is answered on a connection that was kept alive", async () => {
    const door = await open((response) => response.end("done"));
    const socket = connect(door.port, "127.0.0.1");
    const answer = answered(socket);
    socket.write(request);
    await new Promise((first) => socket.once("data", first));
    socket.write(request);
    const drained = door.drain(10_000);
    expect((await answer).match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
    expect(await drained).toBe(true);
  });
});

it("cuts what has not ended in time, and says so", async () => {
  const door = await open(() => {});
  const call = fetch(url(door)).catch(() => "cut");
  await new Promise((resume) => setTimeout(resume, 50));
  expect(await door.drain(20)).toBe(false);
  expect(await call).toBe("cut");
});

it("does not open on a port that is taken", async () => {
  const door = await open(() => {});
  const again = openHttpDoor({ host: "127.0.0.1", port: door.port, listener: () => {}, isReady: () => true });
  await expect(again).rejects.toThrow("EADDRINUSE");
});

describe("a request that comes slowly", () => {
  const head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n";
  const pause = (ms: number) => new Promise((resume) => setTimeout(resume, ms));

  /** What comes of a body until it ends or its client goes. */
  async function* received(request: IncomingMessage): AsyncIterable<string> {
    try {
      yield* request;
    } catch {
      // Cut.
    }
  }

  async function openReading({ workMs = 0, bodyIdleMsMax = 200 } = {}): Promise<HttpDoor> {
    const listener: RequestListener = async (request, response) => {
      let body = "";
      for await (const chunk of received(request.setEncoding("utf8"))) body += chunk;
      await pause(workMs);
      response.end(`got ${body}`);
    };
    const waits = { headMsMax: 200, bodyIdleMsMax };
    const door = await openHttpDoor({ host: "127.0.0.1", port: 0, listener, isReady: () => true, waits });
    doors.push(door);
    return door;
  }

  /** Sends the parts with a pause between them. @returns what came back until the answer was whole or the door closed */
  async function send(door: HttpDoor, parts: readonly string[], pauseMs = 0): Promise<string> {
    const socket = connect(door.port, "127.0.0.1");
    let answer = "";
    socket.setEncoding("latin1").on("data", (text) => {
      answer += text;
      if (/got \d+$/.test(answer)) socket.destroy();
    });
    socket.on("error", () => {});
    const closed = new Promise((done) => socket.once("close", done));
    for (const part of parts) {
      socket.write(part);
      await pause(pauseMs);
    }
    await closed;
    return answer;
  }

  it("is cut with 408 when its body stops in the middle", async () => {
    expect(await send(await openReading(), [head, "12345"])).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("is cut with 408 when its head does not end", async () => {
    expect(await send(await openReading(), ["POST / HTTP/1.1\r\nhost:"])).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("is taken as long as some bytes come in time", async () => {
    // In all for longer than the door waits for any of them.
    const door = await openReading({ bodyIdleMsMax: 1_000 });
    expect(await send(door, [head, ..."0123456789"], 120)).toMatch(/got 0123456789$/);
  });

  it("may be worked on for longer than it may take to come", async () => {
    const door = await openReading({ workMs: 700 });
    const response = await fetch(url(door), { method: "POST", body: "0123456789" });
    expect(await response.text()).toBe("got 0123456789");
  });
});
