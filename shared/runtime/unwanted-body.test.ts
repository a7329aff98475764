/** A call that is refused while its client still sends a body. */
import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, type RequestListener, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Envelope, Outcome } from "#contracts";
import { labelOf } from "#errors";
import { exchange } from "#testing/exchange";
import { buildGoProxies, findGo, type GoProxies } from "#testing/half-duplex/go-proxy";
import { openHttpDoor } from "./http-door.ts";
import { jsonLog } from "./json-log.ts";
import { plainListener } from "./plain/plain-listener.ts";
import { readPlainSettings } from "./plain/plain-settings.ts";
import type { StepInvoker } from "./step-invoker.ts";
import { stepListener } from "./step-listener.ts";
import { createReadUnwanted } from "./unwanted-body.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const log = jsonLog({}, () => {});
const loadJson = () => import("./json-codec.ts");

type Door = (requestsMax: number, invoke?: StepInvoker["invoke"]) => RequestListener;
const invokerOf = (invoke: StepInvoker["invoke"] = () => Promise.reject(new Error("called"))): StepInvoker => ({
  isReady: () => true,
  invoke,
  close: async () => {},
});
const stepDoor: Door = (requestsMax, invoke) => {
  const step = { name: "one", accepts: "nothing" } as const;
  return stepListener({ step, invoker: invokerOf(invoke), build: "", requestsMax, loadJson, log });
};
const plainDoor: Door = (requestsMax, invoke) =>
  plainListener({ invoker: invokerOf(invoke), requestsMax, settings: readPlainSettings({}), log });

async function open(listener: RequestListener): Promise<number> {
  const door = await openHttpDoor({ host: "127.0.0.1", port: 0, isReady: () => true, listener });
  closing.push(() => door.drain(0));
  return door.port;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.closeAllConnections());
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Sends all but the last of it, lets `meanwhile` happen, sends the last, and gives the answer. */
async function sendInTwo(port: number, path: string, meanwhile: () => Promise<unknown>): Promise<IncomingMessage> {
  const agent = new Agent({ keepAlive: true });
  closing.push(() => agent.destroy());
  const call = request({
    port,
    path,
    method: "POST",
    headers: { "content-length": 600_000, "content-type": type },
    agent,
  });
  const answered = once(call, "response") as Promise<[IncomingMessage]>;
  await new Promise((sent) => call.write(Buffer.alloc(500_000), sent));
  await meanwhile();
  call.end(Buffer.alloc(100_000));
  const [answer] = await answered;
  answer.resume();
  return answer;
}

const type = "application/octet-stream";
/** A door answers it when it has seen what was sent before. */
const ask = (port: number) =>
  fetch(`http://127.0.0.1:${port}/`, { method: "POST" }).then((response) => response.text());

describe.each([
  ["step", stepDoor],
  ["plain handler", plainDoor],
])("a call that a full %s refuses", (_, door) => {
  it("has its answer when its body has been read, on a connection that goes on", async () => {
    const port = await open(door(0));
    const { statusCode, headers } = await sendInTwo(port, "/", () => ask(port));
    expect([statusCode, headers["retry-after"], headers.connection]).toEqual([503, "1", "keep-alive"]);
  });

  it("keeps nobody out while its body is read", async () => {
    let end = () => {};
    let calls = 0;
    const invoke = async () => {
      calls += 1;
      await new Promise<void>((resolve) => {
        end = resolve;
      });
      throw new Error("over");
    };
    const port = await open(door(1, invoke));
    const body = new Uint8Array(
      Envelope.encode(Envelope.fromPartial({ queryId: "q", step: "one", deadlineMs: Date.now() + 20_000 })).finish(),
    );
    const call = () => fetch(`http://127.0.0.1:${port}/`, { method: "POST", headers: { "content-type": type }, body });
    const first = call();
    await expect.poll(() => calls).toBe(1);
    const refused = await sendInTwo(port, "/", async () => {
      await ask(port);
      end();
      expect((await first).status).toBe(500);
      const next = call();
      await expect.poll(() => calls).toBe(2);
      end();
      expect((await next).status).toBe(500);
    });
    expect(refused.statusCode).toBe(503);
  });
});

it.each([
  ["over the limit", "content-length: 1001\r\n"],
  ["held back by its client", "content-length: 10\r\nexpect: 100-continue\r\n"],
])("is answered at once where the body is %s", async (_, headers) => {
  const readUnwanted = createReadUnwanted();
  const answer: RequestListener = async (request, response) => {
    const isAtOnce = await Promise.race([
      readUnwanted(request, { bytesMax: 1_000 }).then(() => true),
      setImmediate(false),
    ]);
    response.end(`at once: ${isAtOnce}`);
  };
  const port = await listen(createServer(answer).on("checkContinue", answer));
  const said = await exchange(port, `POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${headers}\r\n`);
  expect(said).toContain("at once: true");
});

it("has its answer when its body, of unknown length, is over the limit", async () => {
  const port = await open(plainDoor(0));
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 65_536;
      controller.enqueue(new Uint8Array(65_536));
      if (sent > 2 ** 30) controller.close();
    },
  });
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body, duplex: "half" } as RequestInit);
  expect(response.status).toBe(503);
  await response.text();
  expect(sent).toBeLessThan(2 ** 29);
});

it("has its answer before its body is read where too many are read so, and is not counted afterwards", async () => {
  const readUnwanted = createReadUnwanted(1);
  const server = createServer(async (request, response) => {
    const read = readUnwanted(request, { bytesMax: 1_000_000 });
    const isAtOnce = await Promise.race([read.then(() => true), setImmediate(false)]);
    await read;
    response.end(`${request.url} at once: ${isAtOnce}`);
    if (!request.complete) request.resume();
  });
  const port = await listen(server);
  let early = false;
  const first = await sendInTwo(port, "/first", async () => {
    const head = "POST /second HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\nconnection: close\r\n\r\n";
    early = (await exchange(port, head)).includes("/second at once: true");
  });
  expect([first.statusCode, early]).toEqual([200, true]);
  expect((await sendInTwo(port, "/third", async () => {})).statusCode).toBe(200);
});

const go = findGo("refusals do not pass through its HTTP library");
if (go !== undefined) {
  describe("through Go's HTTP library, as in OpenFaaS' gateway and of-watchdog", () => {
    let proxies: GoProxies;
    beforeAll(async () => {
      proxies = await buildGoProxies(go);
    }, 300_000);
    afterAll(() => proxies?.remove());

    it.each(["copy", "reverse"] as const)(
      "a full step's refusal of a large body comes each time (%s)",
      async (kind) => {
        const watchdog = await proxies.start("copy", `http://127.0.0.1:${await open(stepDoor(0))}`);
        closing.push(() => watchdog.stop());
        const gateway = await proxies.start(kind, watchdog.url);
        closing.push(() => gateway.stop());
        for (let time = 0; time < 20; time++) {
          const body = new Uint8Array(4 * 1_048_576);
          const response = await fetch(gateway.url, { method: "POST", headers: { "content-type": type }, body });
          const { decision } = Outcome.decode(new Uint8Array(await response.arrayBuffer()));
          expect([response.status, decision?.$case === "failure" && labelOf(decision.value.code)]).toEqual([
            503,
            "OVERLOADED",
          ]);
        }
      },
    );
  });
}
