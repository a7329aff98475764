/** `/function/NAME/…`: the call goes to the function's process, streamed both ways. */
import { randomUUID } from "node:crypto";
import { Agent, type ClientRequest, type IncomingMessage, request, type ServerResponse } from "node:http";
import { piecesType } from "#contracts/pieces";
import { limits } from "#domain/limits";
import type { DeployedFunction } from "./deployed-function.ts";
import { toClient, toFunction } from "./forwarded-headers.ts";
import { refuseBody } from "./send.ts";

export interface FunctionProxy {
  forward(incoming: IncomingMessage, outgoing: ServerResponse, fn: DeployedFunction, path: string): void;
  close(): void;
}

export function createProxy(): FunctionProxy {
  const agent = new Agent({ keepAlive: true, keepAliveMsecs: 30_000, maxSockets: 1_024 });
  return {
    forward: (incoming, outgoing, fn, path) => {
      const { name } = fn.spec;
      fn.invocations += 1;
      fn.calls.enter();
      outgoing.once("close", () => fn.calls.leave());
      if (fn.process.port === undefined) {
        refuseBody(incoming, outgoing, 503, `No endpoints available for: ${name}.`);
      } else if (Number(incoming.headers["content-length"] ?? 0) > limits.messageBytesMax) {
        refuseBody(incoming, outgoing, 413, tooLarge);
      } else {
        forward(agent, incoming, outgoing, { fn, path, port: fn.process.port });
      }
    },
    close: () => agent.destroy(),
  };
}

const tooLarge = `The body is over ${limits.messageBytesMax} bytes.`;

interface Target {
  readonly fn: DeployedFunction;
  readonly path: string;
  readonly port: number;
}

function forward(agent: Agent, incoming: IncomingMessage, outgoing: ServerResponse, { fn, path, port }: Target): void {
  const { name } = fn.spec;
  const startedAt = process.hrtime.bigint();
  const callId = String(incoming.headers["x-call-id"] ?? randomUUID());
  const headers = toFunction(incoming, callId);
  const upstream = request({ agent, host: "127.0.0.1", port, method: incoming.method, path, headers });
  let isLengthKnown = false;
  const giveUp = (status: number, text: string) => {
    if (outgoing.headersSent) breakOff(outgoing, isLengthKnown);
    else refuseBody(incoming, outgoing, status, text);
    ended = true;
    incoming.unpipe(upstream);
    upstream.destroy();
  };
  let ended = false;
  const timer = setTimeout(() => giveUp(504, `${name} did not answer within ${fn.callMsMax} ms.`), fn.callMsMax);
  upstream.on("response", (answer) => {
    if (!incoming.complete) stopPassingOn(incoming, upstream);
    const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
    outgoing.writeHead(answer.statusCode ?? 502, {
      ...toClient(incoming, answer, callId),
      "x-duration-seconds": seconds.toFixed(6),
    });
    // A stream of events has no end of its own; of-watchdog does not limit it either.
    if (answer.headers["content-type"]?.startsWith("text/event-stream")) clearTimeout(timer);
    isLengthKnown = answer.headers["content-length"] !== undefined;
    answer.once("error", () => breakOff(outgoing, isLengthKnown)).pipe(outgoing);
  });
  upstream.on("error", () => {
    // Once there is an answer, it tells the client itself; an early one may come while the body is still sent.
    if (!ended && !outgoing.headersSent) giveUp(502, `Can't reach service for: ${name}.`);
  });
  outgoing.on("close", () => {
    clearTimeout(timer);
    // A client that goes takes its call along.
    if (!outgoing.writableFinished) upstream.destroy();
    ended = true;
  });
  sendBody(incoming, upstream, () => giveUp(413, tooLarge));
}

/**
 * What OpenFaaS does where an answer breaks off: it ends what it has passed on. Without a length to compare that looks
 * whole to the client, who must count what it got.
 */
function breakOff(outgoing: ServerResponse, isLengthKnown: boolean): void {
  if (isLengthKnown) outgoing.destroy();
  else outgoing.end();
}

/**
 * As Go's servers do, and so OpenFaaS' gateway and of-watchdog: what is left of a request whose answer begins is thrown
 * away. A function that does not know this fails here too, and not only once it is deployed.
 */
function stopPassingOn(incoming: IncomingMessage, upstream: ClientRequest): void {
  incoming.unpipe(upstream);
  incoming.resume();
}

function sendBody(incoming: IncomingMessage, upstream: ClientRequest, onTooLarge: () => void): void {
  // Tables pass piece by piece, and nothing of them stays here; the function limits its pieces.
  const bytesMax = incoming.headers["content-type"] === piecesType ? Number.POSITIVE_INFINITY : limits.messageBytesMax;
  let bytes = 0;
  const count = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= bytesMax) return;
    incoming.off("data", count);
    onTooLarge();
  };
  incoming.on("data", count);
  incoming.on("error", () => upstream.destroy());
  incoming.pipe(upstream);
  // What nobody takes any more must not block the connection.
  upstream.on("close", () => incoming.resume());
}
