import type { IncomingMessage } from "node:http";

/** The client waits for a word before it sends the body (RFC 9110 section 10.1.1). */
export function asksFirst(request: IncomingMessage): boolean {
  return request.headers.expect?.toLowerCase() === "100-continue";
}
