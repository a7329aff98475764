import type { IncomingMessage, ServerResponse } from "node:http";

/** How long what the client still sends is thrown away after a refusal, so that it reads the answer. */
const lingerMs = 500;

/**
 * Answers while the client still sends. The answer is complete for the client at once, but the
 * connection closes a little later: closing it with unread data in it would reset it, and the
 * client might never see the answer.
 */
export function endEarly(request: IncomingMessage, response: ServerResponse, body: string | Uint8Array): void {
  response.setHeader("connection", "close");
  response.write(body);
  const timer = setTimeout(() => response.end(), lingerMs);
  request.once("end", () => response.end());
  response.once("close", () => clearTimeout(timer));
  request.resume();
}
