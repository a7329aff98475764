/** The headers of a call on its way through: to the function, and back to the client. */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http";

/** RFC 9110, section 7.6.1: of one connection, not of the message. `expect` was met by this server already. */
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

export function toFunction(incoming: IncomingMessage, callId: string): OutgoingHttpHeaders {
  const { headers, socket } = incoming;
  // A body without a length stays chunked, whatever the method: unframed, it would be read as the next request.
  const framing = headers["transfer-encoding"] === undefined ? {} : { "transfer-encoding": "chunked" };
  return {
    ...endToEnd(headers),
    ...framing,
    "x-call-id": callId,
    "x-start-time": String(BigInt(Date.now()) * 1_000_000n),
    "x-forwarded-host": headers["x-forwarded-host"] ?? headers.host ?? "",
    "x-forwarded-for": headers["x-forwarded-for"] ?? socket.remoteAddress ?? "",
  };
}

/**
 * As the real gateway: the call id is echoed only when it was made here, and an answer without a type gets that of its
 * request.
 */
export function toClient(incoming: IncomingMessage, answer: IncomingMessage, callId: string): OutgoingHttpHeaders {
  const made = incoming.headers["x-call-id"] === undefined ? { "x-call-id": callId } : {};
  const type = answer.headers["content-type"] || incoming.headers["content-type"] || "text/plain";
  return { ...endToEnd(answer.headers), "content-type": type, ...made };
}

/** Without what belongs to the connection. */
export function endToEnd(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name) && !named.includes(name)));
}
