/** The HTTP server of a function: readiness, limits and drain around one listener. */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { limits } from "#domain/limits";

export interface HttpDoorOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly listener: RequestListener;
  /** What `/_/ready` says while the door is not draining. */
  readonly isReady: () => boolean;
  /** How long the door waits for a request's head, and for the next bytes of its body. */
  readonly waits?: { readonly headMsMax: number; readonly bodyIdleMsMax: number };
}

export interface HttpDoor {
  readonly port: number;
  /**
   * Takes what is on its way for a moment longer, then no more calls, and waits for those in flight,
   * at most `drainMs` in all; what is left then is cut.
   * @returns whether all of them ended by themselves
   */
  drain(drainMs: number): Promise<boolean>;
}

const waitsDefault = { headMsMax: limits.requestHeadMsMax, bodyIdleMsMax: limits.requestIdleMsMax };
/** How often Node looks for requests that take too long; its default is half a minute. */
const checkMs = 500;
/** Over the minute that gateways keep an idle connection, so that they are the ones to close it. */
const idleConnectionMs = 65_000;

/**
 * How long a drain takes what was sent before its caller could know of it: closing at once would
 * reset a connection that was not accepted yet, and one that was kept alive and has its next request in it.
 */
const lingerMs = 100;

export async function openHttpDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  const inFlight = new Set<ServerResponse>();
  const { headMsMax, bodyIdleMsMax } = options.waits ?? waitsDefault;
  let draining = false;
  const answer: RequestListener = (request, response) => {
    if (draining) {
      response.setHeader("connection", "close");
    }
    if (answerProbe(request, response, !draining && options.isReady())) {
      return;
    }
    inFlight.add(response);
    response.once("close", () => inFlight.delete(response));
    cutStalledBody(request, response, bodyIdleMsMax);
    options.listener(request, response);
  };
  const server = createServer({ noDelay: true, connectionsCheckingInterval: Math.min(checkMs, headMsMax) }, answer);
  // The listener decides whether a large body is wanted before the client sends it.
  server.on("checkContinue", answer);
  server.headersTimeout = headMsMax;
  // Of receiving a whole request; how long it is worked on is limited elsewhere.
  server.requestTimeout = Math.max(headMsMax, limits.requestMsMax);
  server.keepAliveTimeout = idleConnectionMs;
  const port = await listen(server, options);
  return {
    port,
    drain(drainMs) {
      draining = true;
      for (const response of inFlight) {
        if (!response.headersSent) {
          response.setHeader("connection", "close");
        }
      }
      return closeWithin(server, drainMs, Math.min(lingerMs, drainMs / 2));
    },
  };
}

/**
 * Ends a request whose client stops in the middle of its body; one that waits until what it sent
 * is read does not stop. Watched from beside: listening to
 * the body itself would start its flow before its reader is there.
 */
function cutStalledBody(request: IncomingMessage, response: ServerResponse, idleMsMax: number): void {
  const { socket } = request;
  let bytes = socket.bytesRead;
  const timer = setInterval(() => {
    if (request.complete) {
      clearInterval(timer);
    } else if (socket.bytesRead === bytes && request.readableLength === 0) {
      clearInterval(timer);
      if (!response.headersSent) {
        socket.write("HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      }
      socket.destroySoon();
    } else {
      bytes = socket.bytesRead;
    }
  }, idleMsMax);
  response.once("close", () => clearInterval(timer));
}

function answerProbe(request: IncomingMessage, response: ServerResponse, ready: boolean): boolean {
  const path = request.url?.split("?", 1)[0];
  if (path !== "/_/ready" && path !== "/_/health") {
    return false;
  }
  const ok = path === "/_/health" || ready;
  const body = ok ? "OK\n" : "not ready\n";
  response.writeHead(ok ? 200 : 503, { "content-type": "text/plain", "content-length": body.length }).end(body);
  return true;
}

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

async function closeWithin(server: Server, drainMs: number, openMs: number): Promise<boolean> {
  let cut = false;
  const timer = setTimeout(() => {
    cut = true;
    server.closeAllConnections();
  }, drainMs);
  await sleep(openMs);
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  await closed;
  clearTimeout(timer);
  return !cut;
}
