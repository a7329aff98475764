import type { IncomingMessage, ServerResponse } from "node:http";

/** Errors are text, as OpenFaaS's are. */
export function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** How long what the client still sends is thrown away after a refusal. */
const lingerMs = 500;

/**
 * Refuses a request whose body is not wanted. The answer is whole for the client at once; the connection
 * closes a little later, since closing it with unread data would reset it, and the answer might be lost.
 */
export function refuseBody(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  response.setHeader("connection", "close");
  if (request.complete) {
    sendText(response, status, text);
    return;
  }
  const body = Buffer.from(`${text}\n`);
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", "content-length": body.length });
  response.write(body);
  const timer = setTimeout(() => response.end(), lingerMs);
  request.once("end", () => response.end());
  response.once("close", () => clearTimeout(timer));
  request.resume();
}
