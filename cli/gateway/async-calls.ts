/** `/async-function/NAME`: accepted with 202, run one after the other, the answer sent to X-Callback-Url. */
import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { limits } from "#domain/limits";
import type { Log } from "#ports/log";
import type { DeployedFunction } from "./deployed-function.ts";
import { endToEnd } from "./forwarded-headers.ts";
import { refuseBody } from "./send.ts";

/** Of OpenFaaS CE. */
const bodyBytesMax = 256_000;
const waitingMax = 1_000;
const atOnceMax = 4;
const callMsMax = 130_000;
const callbackMsMax = 10_000;

interface Call {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
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
    if (incoming.method !== "POST") return refuseBody(incoming, outgoing, 405, "only POST is allowed");
    if (waiting.length >= waitingMax) return refuseBody(incoming, outgoing, 429, `${waitingMax} calls are waiting`);
    const body = await bytesOf(incoming, bodyBytesMax);
    if (body === undefined) {
      return refuseBody(
        incoming,
        outgoing,
        413,
        `the body of an asynchronous call is limited to ${bodyBytesMax} bytes`,
      );
    }
    const id = String(incoming.headers["x-call-id"] ?? randomUUID());
    const callback = incoming.headers["x-callback-url"];
    const { name } = fn.spec;
    waiting.push({
      id,
      name,
      url: `${gatewayUrl()}/function/${name}${path}`,
      headers: { ...kept(incoming.headers), "x-call-id": id },
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
  const result = await callFunction(call, signal).catch(() => lost);
  if (call.callbackUrl === undefined || stop.aborted) return;
  // A time limit of its own: a call that used all of it has still something to report.
  const callbackSignal = AbortSignal.any([stop, AbortSignal.timeout(callbackMsMax)]);
  const headers = {
    ...result.headers,
    "x-call-id": call.id,
    "x-function-name": call.name,
    "x-function-status": String(result.status),
    "x-duration-seconds": ((performance.now() - startedAt) / 1_000).toFixed(6),
  };
  try {
    const taken = await fetch(call.callbackUrl, { method: "POST", headers, body: result.body, signal: callbackSignal });
    await taken.body?.cancel();
    if (!taken.ok) throw new Error(`status ${taken.status}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : "";
    // As OpenFaaS: a callback that fails is dropped.
    log.log("warn", "a callback was not taken", { function: call.name, callId: call.id, reason });
  }
}

interface CallResult {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** As OpenFaaS's queue worker reports a connection that failed. */
const lost: CallResult = { status: 503, headers: { "content-type": "text/plain" }, body: new Uint8Array() };

async function callFunction(call: Call, signal: AbortSignal): Promise<CallResult> {
  const { url, headers } = call;
  const answer = await fetch(url, { method: "POST", headers, body: new Uint8Array(call.body), signal });
  const body = await bytesOf(answer.body ?? [], limits.messageBytesMax);
  if (body === undefined) return { ...lost, status: 502 };
  const { "content-encoding": _decodedByFetch, ...own } = kept(Object.fromEntries(answer.headers));
  return { status: answer.status, headers: own, body: new Uint8Array(body) };
}

/** The headers that go along: not those of the connection, of the framing, or for this queue. */
function kept(headers: IncomingHttpHeaders): Record<string, string> {
  const { host: _, "content-length": _length, "x-callback-url": _callback, ...own } = endToEnd(headers);
  return Object.fromEntries(Object.entries(own).map(([name, value]) => [name, String(value)]));
}

/** @returns undefined when there is more than the limit; a request is left readable then, so that it can be answered */
async function bytesOf(source: IncomingMessage | AsyncIterable<Uint8Array> | never[], bytesMax: number) {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const chunksOf = "iterator" in source ? source.iterator({ destroyOnReturn: false }) : source;
  for await (const chunk of chunksOf) {
    length += chunk.length;
    if (length > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
