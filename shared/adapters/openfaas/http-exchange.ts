/** One HTTP request and its answer, both as streams, within a deadline, over kept-alive connections. */
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Clock } from "#ports/clock";

export interface HttpRequest {
  readonly method: "GET" | "POST";
  /** Without the base URL, with a leading slash. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** At once where it is bytes; piece by piece, at the pace of the other side, where it is a stream. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** Who is asked, for error messages: `function uva-sql-query`. */
  readonly whom: string;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /** In lower case and without parameters; empty when absent. */
  readonly contentType: string;
  /** What the function says of its code; empty where it does not. */
  readonly build: string;
  /** OpenFaaS says that it answers itself, in the function's place. */
  readonly isPlatforms: boolean;
  /** The body, once: either this, @throws DynamosError FUNCTION_UNAVAILABLE when it breaks off */
  readonly stream: AsyncIterable<Uint8Array>;
  /** or this. @throws DynamosError RESULT_TOO_LARGE, FUNCTION_UNAVAILABLE */
  whole(bytesMax: number): Promise<Uint8Array>;
}

export interface HttpExchange {
  /**
   * @param read what is made of the answer; the deadline and the signal hold until it is done
   * @throws DynamosError FUNCTION_UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED; what `read` and the body's stream fail with
   */
  send<T>(request: HttpRequest, read: (answer: HttpAnswer) => Promise<T>): Promise<T>;
  /** Calls in hand fail, connections are closed. */
  close(): void;
}

/**
 * @param idleMsMax how long a connection is kept that no call uses: shorter than the other side keeps it, since what
 *   is sent on one that closes just then is lost, and a streamed body can't be sent again
 */
export function createHttpExchange(
  baseUrl: URL,
  clock: Clock,
  idleMsMax: number = limits.idleConnectionMsMax,
): HttpExchange {
  const secure = baseUrl.protocol === "https:";
  // Of Node's agents: calls in hand are not ended by it.
  const agentOptions = { keepAlive: true, maxFreeSockets: 64, timeout: idleMsMax } as const;
  const agent = secure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
  const open = new Set<ClientRequest>();

  function start({ method, path, headers, body }: HttpRequest): ClientRequest {
    const length = body instanceof Uint8Array ? { "content-length": String(body.length) } : {};
    const url = new URL(`${baseUrl.pathname.replace(/\/$/, "")}${path}`, baseUrl);
    const request = (secure ? httpsRequest : httpRequest)(url, { method, headers: { ...headers, ...length }, agent });
    open.add(request);
    request.on("close", () => open.delete(request));
    return request;
  }

  return {
    send: async (request, read) => {
      try {
        return await answerOf(start, request, read, clock);
      } catch (error) {
        if (!(error instanceof StaleConnection)) throw error;
        // The other side closed the kept-alive connection just then. Steps are pure: sending twice is harmless.
        return answerOf(start, request, read, clock);
      }
    },
    close: () => {
      for (const request of open) request.destroy();
      agent.destroy();
    },
  };
}

class StaleConnection extends DynamosError {}

function answerOf<T>(
  start: (request: HttpRequest) => ClientRequest,
  asked: HttpRequest,
  read: (answer: HttpAnswer) => Promise<T>,
  clock: Clock,
): Promise<T> {
  const { whom, signal, deadlineMs } = asked;
  const late = () => new DynamosError(ErrorCode.DEADLINE_EXCEEDED, `the deadline passed while ${whom} was asked`);
  const cancelled = () => new DynamosError(ErrorCode.CANCELLED, "the query was cancelled");
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(cancelled());
    if (deadlineMs <= clock.now()) return reject(late());
    const request = start(asked);
    const giveUp = (error: unknown) => {
      settle();
      reject(error);
      request.destroy();
    };
    const stopTimer = clock.after(deadlineMs - clock.now(), () => giveUp(late()));
    const onAbort = () => giveUp(cancelled());
    signal.addEventListener("abort", onAbort, { once: true });
    let answered = false;
    function settle(): void {
      stopTimer();
      signal.removeEventListener("abort", onAbort);
    }
    // These stay attached after the end: a destroyed request may still emit `error`.
    request.on("error", (cause) => giveUp(unreachable(request, asked, cause)));
    request.on("response", (response) => {
      answered = true;
      read(answerFrom(response, whom)).then((value) => {
        settle();
        resolve(value);
        // Read to its end, the connection serves again.
        if (request.writableFinished) response.resume();
        else request.destroy();
      }, giveUp);
    });
    // The other side may answer before it has read everything: then the answer counts.
    sendBody(request, asked.body).catch((error: unknown) => {
      if (!answered && error instanceof DynamosError) giveUp(error);
    });
  });
}

async function sendBody(request: ClientRequest, body: HttpRequest["body"]): Promise<void> {
  if (body === undefined || body instanceof Uint8Array) {
    request.end(body);
    return;
  }
  await pipeline(Readable.from(body, { objectMode: false, highWaterMark: 65_536 }), request);
}

function unreachable(request: ClientRequest, { whom, body }: HttpRequest, cause: Error): DynamosError {
  const code = "code" in cause ? String(cause.code) : "";
  const closed = code === "ECONNRESET" || code === "EPIPE";
  // A stream is read once, so it can't be sent again.
  const again = request.reusedSocket && closed && (body === undefined || body instanceof Uint8Array);
  const Kind = again ? StaleConnection : DynamosError;
  const how = code === "ECONNREFUSED" ? "can't be reached: connection refused" : "can't be reached: connection lost";
  return new Kind(ErrorCode.FUNCTION_UNAVAILABLE, `${whom} ${how}`, { cause });
}

function answerFrom(response: IncomingMessage, whom: string): HttpAnswer {
  const type = response.headers["content-type"] ?? "";
  async function* stream(): AsyncGenerator<Uint8Array> {
    try {
      for await (const bytes of response.iterator({ destroyOnReturn: false })) yield bytes;
    } catch (cause) {
      throw new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, `the answer of ${whom} broke off`, { cause });
    }
  }
  async function whole(bytesMax: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of stream()) {
      bytes += chunk.length;
      if (bytes > bytesMax) {
        const message = `the answer of ${whom} is over the limit of ${bytesMax} bytes`;
        throw new DynamosError(ErrorCode.RESULT_TOO_LARGE, message);
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, bytes);
  }
  return {
    status: response.statusCode ?? 0,
    contentType: (type.split(";")[0] ?? "").trim().toLowerCase(),
    build: digestIn(response.headers["x-dynamos-build"]),
    isPlatforms: response.headers["x-openfaas-internal"] !== undefined,
    stream: stream(),
    whole,
  };
}

/** Nothing but a digest: what a function says is recorded, and must not be a way out for what it has seen. */
function digestIn(field: string | string[] | undefined): string {
  return typeof field === "string" && /^[0-9a-f]{64}$/.test(field) ? field : "";
}
