/** Node's request as the Fetch API's, its body read only as far as somebody reads it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";

/**
 * @param signal fires when the client is gone before its answer
 * @throws DynamosError INVALID_REQUEST (host or target), METHOD_NOT_ALLOWED
 */
export function requestOf(incoming: IncomingMessage, outgoing: ServerResponse, signal: AbortSignal): Request {
  const { method = "GET" } = incoming;
  if (/^(TRACE|CONNECT|TRACK)$/.test(method)) {
    throw new DynamosError(ErrorCode.METHOD_NOT_ALLOWED, `${method} is not offered here`);
  }
  const url = urlOf(incoming);
  const headers = new Headers();
  const { rawHeaders } = incoming;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) headers.append(rawHeaders[i] ?? "", rawHeaders[i + 1] ?? "");
  const body = method === "GET" || method === "HEAD" ? null : bodyOf(incoming, outgoing);
  return new Request(url, { method, headers, signal, body, duplex: "half" } as RequestInit);
}

/** RFC 9112 section 3.2: a Host that is not one is the client's error. */
function urlOf({ url: target = "/", headers: { host = "" } }: IncomingMessage): URL {
  const isAbsolute = /^https?:\/\//i.test(target);
  if (!isAbsolute && !target.startsWith("/")) {
    throw new DynamosError(ErrorCode.INVALID_REQUEST, "the request's target is not a path");
  }
  if (host !== "" && !isHost(host)) throw new DynamosError(ErrorCode.INVALID_REQUEST, "the Host header is not a host");
  try {
    return new URL(isAbsolute ? target : `http://orchestrator${target}`);
  } catch (cause) {
    throw new DynamosError(ErrorCode.INVALID_REQUEST, "the request's target is not a URL", { cause });
  }
}

function isHost(host: string): boolean {
  if (!/^(\[[0-9a-f:.]+\]|[-\w.~!$&'()*+,;=%]+)(:\d{0,5})?$/i.test(host)) return false;
  try {
    return new URL(`http://${host}/`).pathname === "/";
  } catch {
    return false;
  }
}

/** Nothing flows before the first read; what nobody reads, Node throws away after the answer. */
function bodyOf(incoming: IncomingMessage, outgoing: ServerResponse): ReadableStream<Uint8Array> {
  let started = false;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (!started) {
          started = true;
          // A client that asked first (RFC 9110 section 10.1.1) sends now.
          if (incoming.headers.expect !== undefined) outgoing.writeContinue();
          listen(controller);
        }
        incoming.resume();
      },
      cancel: () => stop(),
    },
    { highWaterMark: 0 },
  );

  let stop = () => {};

  function listen(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const take = (chunk: Buffer) => {
      controller.enqueue(chunk);
      if ((controller.desiredSize ?? 0) <= 0) incoming.pause();
    };
    const end = () => {
      stop();
      controller.close();
    };
    const left = () => {
      stop();
      controller.error(new DynamosError(ErrorCode.CANCELLED, "the client left before its body was whole"));
    };
    stop = () => {
      incoming.off("data", take).off("end", end).off("close", left).off("error", left);
      outgoing.off("finish", stop);
      incoming.on("error", () => {});
    };
    incoming.on("data", take).once("end", end).once("close", left).once("error", left);
    outgoing.once("finish", stop);
  }

  return stream;
}
