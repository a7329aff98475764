/** Between Node's HTTP server and the app: whatever goes wrong is a problem document, or a cut connection once bytes are out. */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { limits } from "#domain/limits";
import { createReadUnwanted } from "#runtime/unwanted-body";
import { problemOf, problemResponse } from "./problem.ts";
import { requestOf } from "./request-of.ts";

/** Of whatever route: a larger body is of none. */
const unwanted = { bytesMax: limits.unwantedBodyBytesMax, msMax: limits.apiBodyMsMax };

/** @param fetch answers every request; its bodies are cancelled when the client leaves */
export function listenerOf(
  fetch: (request: Request) => Response | Promise<Response>,
  stallMsMax: number = limits.answerStallMsMax,
): RequestListener {
  const readUnwanted = createReadUnwanted();
  return (incoming, outgoing) => {
    answer(incoming, outgoing).catch(() => cut(incoming, outgoing));
  };

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const gone = new AbortController();
    outgoing.once("close", () => {
      if (!outgoing.writableFinished) gone.abort();
    });
    // Writing to a client that is gone: `close` follows and says so.
    outgoing.on("error", () => {});
    let response: Response;
    try {
      response = await fetch(requestOf(incoming, outgoing, gone.signal));
    } catch (error) {
      response = problemResponse(problemOf(error), { connection: "close" });
    }
    // Who was too slow has been waited for.
    if (response.status !== 408) await readUnwanted(incoming, unwanted);
    await send(response, outgoing, stallMsMax);
  }
}

/**
 * Status and headers go out with the first bytes, so a body that fails before is still a problem document.
 * One that fails later must not look whole: its connection is cut.
 */
async function send(response: Response, outgoing: ServerResponse, stallMsMax: number): Promise<void> {
  const reader = response.body?.getReader();
  const leave = () => void reader?.cancel().catch(() => {});
  if (outgoing.destroyed) return leave();
  outgoing.once("close", leave);
  const first: Uint8Array[] = [];
  let done = reader === undefined;
  try {
    // Two reads: most answers are one piece, and their length is known then.
    for (let i = 0; i < 2 && reader !== undefined && !done; i++) {
      const read = await reader.read();
      done = read.done;
      if (read.value !== undefined) first.push(read.value);
    }
  } catch (error) {
    outgoing.off("close", leave);
    return send(problemResponse(problemOf(error)), outgoing, stallMsMax);
  }
  const headers = Object.fromEntries(response.headers);
  const hasOwnLength = response.status !== 304 && outgoing.req.method !== "HEAD";
  if (done && hasOwnLength && headers["content-length"] === undefined) {
    headers["content-length"] = String(first.reduce((sum, { length }) => sum + length, 0));
  }
  outgoing.writeHead(response.status, headers);
  for (const piece of first) await write(piece, outgoing, stallMsMax);
  while (reader !== undefined && !done) {
    const read = await reader.read();
    done = read.done;
    if (read.value !== undefined) await write(read.value, outgoing, stallMsMax);
  }
  outgoing.end();
}

/** For a client of HTTP/1.0 the end of the connection is the end of the body, so it must be a reset. */
function cut({ httpVersion, socket }: IncomingMessage, outgoing: ServerResponse): void {
  if (httpVersion === "1.0") socket.resetAndDestroy();
  outgoing.destroy();
}

/** Resolves when there is room for more. Rejects when the client is gone, or takes nothing for too long. */
function write(piece: Uint8Array, outgoing: ServerResponse, stallMsMax: number): Promise<void> | undefined {
  if (outgoing.destroyed) throw new Error("the client left");
  if (outgoing.write(piece)) return undefined;
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      clearTimeout(timer);
      outgoing.off("drain", drained).off("close", closed);
      if (error === undefined) resolve();
      else reject(error);
    };
    const drained = () => settle();
    const closed = () => settle(new Error("the client left"));
    const timer = setTimeout(() => settle(new Error("the client takes nothing")), stallMsMax);
    outgoing.once("drain", drained).once("close", closed);
  });
}
