/** `/function/NAME/…`: the call goes to the function's process, streamed both ways. */
import { randomUUID } from "node:crypto";
import {
  Agent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type ServerResponse,
} from "node:http";
import { pipeline } from "node:stream";
import { limits } from "#domain/limits";
import type { DeployedFunction } from "./deployed-function.ts";
import { sendText } from "./send.ts";

/** RFC 9110, section 7.6.1: of one connection, not of the message. */
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

export interface FunctionProxy {
  forward(incoming: IncomingMessage, outgoing: ServerResponse, fn: DeployedFunction, path: string): void;
  close(): void;
}

export function createProxy(): FunctionProxy {
  const agent = new Agent({ keepAlive: true, keepAliveMsecs: 30_000, maxSockets: 1_024 });
  return {
    forward: (incoming, outgoing, fn, path) => forward(agent, incoming, outgoing, { fn, path }),
    close: () => agent.destroy(),
  };
}

function forward(
  agent: Agent,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { fn, path }: { fn: DeployedFunction; path: string },
): void {
  const { name } = fn.spec;
  fn.invocations += 1;
  if (fn.process.port === undefined) {
    sendText(outgoing, 503, `No endpoints available for: ${name}.`);
    return;
  }
  if (Number(incoming.headers["content-length"] ?? 0) > limits.messageBytesMax) {
    sendText(outgoing, 413, `The body is over ${limits.messageBytesMax} bytes.`);
    return;
  }
  const startedAt = process.hrtime.bigint();
  const callId = String(incoming.headers["x-call-id"] ?? randomUUID());
  const upstream = request(
    {
      agent,
      host: "127.0.0.1",
      port: fn.process.port,
      method: incoming.method,
      path,
      headers: {
        ...endToEnd(incoming.headers),
        "x-call-id": callId,
        "x-start-time": String(BigInt(Date.now()) * 1_000_000n),
        "x-forwarded-host": incoming.headers.host ?? "",
        "x-forwarded-for": incoming.socket.remoteAddress ?? "",
      },
    },
    (answer) => {
      const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
      // As the real one: echoed only when it was made here.
      const made = incoming.headers["x-call-id"] === undefined ? { "x-call-id": callId } : {};
      const served = { ...endToEnd(answer.headers), ...made, "x-duration-seconds": seconds.toFixed(6) };
      outgoing.writeHead(answer.statusCode ?? 502, served);
      pipeline(answer, outgoing, () => {});
    },
  );
  upstream.on("error", () => {
    if (outgoing.headersSent) outgoing.destroy();
    else sendText(outgoing, 502, `Can't reach service for: ${name}.`);
  });
  // A client that goes takes its call along.
  outgoing.on("close", () => {
    if (!outgoing.writableFinished) upstream.destroy();
  });
  incoming.on("error", () => upstream.destroy());
  incoming.pipe(upstream);
}

function endToEnd(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const named = String(headers.connection ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase());
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name) && !named.includes(name)));
}
