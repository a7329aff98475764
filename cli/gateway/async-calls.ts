/** `/async-function/NAME`: accepted with 202, run one after the other, the answer sent to X-Callback-Url. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Log } from "#ports/log";
import type { DeployedFunction } from "./deployed-function.ts";
import { sendText } from "./send.ts";

/** Of OpenFaaS CE. */
const bodyBytesMax = 256_000;
const waitingMax = 1_000;
const atOnceMax = 4;
const callMsMax = 130_000;

interface Call {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly contentType: string;
  readonly body: Buffer;
  readonly callbackUrl: string | undefined;
}

export interface AsyncCalls {
  accept(incoming: IncomingMessage, outgoing: ServerResponse, fn: DeployedFunction, path: string): Promise<void>;
  close(): void;
}

/** @param gatewayUrl where the calls are made: through the gateway itself, as OpenFaaS's queue worker does */
export function createAsyncCalls(gatewayUrl: () => string, log: Log): AsyncCalls {
  const waiting: Call[] = [];
  const stop = new AbortController();
  let running = 0;

  async function accept(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    fn: DeployedFunction,
    path: string,
  ): Promise<void> {
    if (incoming.method !== "POST") return sendText(outgoing, 405, "only POST is allowed");
    if (waiting.length >= waitingMax) return sendText(outgoing, 429, `${waitingMax} calls are waiting`);
    const body = await bodyOf(incoming);
    if (body === undefined)
      return sendText(outgoing, 413, `the body of an asynchronous call is limited to ${bodyBytesMax} bytes`);
    const id = String(incoming.headers["x-call-id"] ?? randomUUID());
    const callback = incoming.headers["x-callback-url"];
    const { name } = fn.spec;
    waiting.push({
      id,
      name,
      url: `${gatewayUrl()}/function/${name}${path}`,
      contentType: incoming.headers["content-type"] ?? "application/octet-stream",
      body,
      callbackUrl: typeof callback === "string" ? callback : undefined,
    });
    outgoing.writeHead(202, { "x-call-id": id }).end();
    work();
  }

  function work(): void {
    while (running < atOnceMax && waiting.length > 0 && !stop.signal.aborted) {
      const call = waiting.shift();
      if (call === undefined) return;
      running += 1;
      void run(call, log, stop.signal).finally(() => {
        running -= 1;
        work();
      });
    }
  }

  return { accept, close: () => stop.abort() };
}

async function run(call: Call, log: Log, stop: AbortSignal): Promise<void> {
  const startedAt = performance.now();
  const signal = AbortSignal.any([stop, AbortSignal.timeout(callMsMax)]);
  const headers = { "content-type": call.contentType, "x-call-id": call.id };
  const answer = await fetch(call.url, { method: "POST", headers, body: new Uint8Array(call.body), signal }).catch(
    () => undefined,
  );
  const body = answer === undefined ? "" : await answer.arrayBuffer().catch(() => "");
  if (call.callbackUrl === undefined) return;
  await fetch(call.callbackUrl, {
    method: "POST",
    headers: {
      "content-type": answer?.headers.get("content-type") ?? "text/plain",
      "x-call-id": call.id,
      "x-function-name": call.name,
      "x-function-status": String(answer?.status ?? 503),
      "x-duration-seconds": ((performance.now() - startedAt) / 1_000).toFixed(6),
    },
    body,
    signal,
  }).catch(() => log.log("warn", "a callback was not taken", { function: call.name, callId: call.id }));
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming) {
    length += (chunk as Buffer).length;
    if (length > bodyBytesMax) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
