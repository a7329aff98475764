/** The HTTP server of a function: readiness, limits and drain around one listener. */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { limits } from "#domain/limits";

export interface HttpDoorOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly listener: RequestListener;
  /** What `/_/ready` says while the door is not draining. */
  readonly isReady: () => boolean;
}

export interface HttpDoor {
  readonly port: number;
  /**
   * Accepts no more calls and waits for those in flight, at most `drainMs`; what is left then is cut.
   * @returns whether all of them ended by themselves
   */
  drain(drainMs: number): Promise<boolean>;
}

const headersMsMax = 10_000;
/** Over the minute that gateways keep an idle connection, so that they are the ones to close it. */
const idleConnectionMs = 65_000;

export async function openHttpDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  const inFlight = new Set<ServerResponse>();
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
    options.listener(request, response);
  };
  const server = createServer({ noDelay: true }, answer);
  // The listener decides whether a large body is wanted before the client sends it.
  server.on("checkContinue", answer);
  server.headersTimeout = headersMsMax;
  server.requestTimeout = limits.invocationMsMax;
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
      return closeWithin(server, drainMs);
    },
  };
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

function closeWithin(server: Server, drainMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    let cut = false;
    const timer = setTimeout(() => {
      cut = true;
      server.closeAllConnections();
    }, drainMs);
    server.close(() => {
      clearTimeout(timer);
      resolve(!cut);
    });
    server.closeIdleConnections();
  });
}
