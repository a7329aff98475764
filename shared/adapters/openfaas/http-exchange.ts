/** One HTTP request and its whole answer, within a deadline and a size, over kept-alive connections. */
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { ErrorCode } from "#contracts";
import { DynamosError } from "#errors";
import type { Clock } from "#ports/clock";

export interface HttpRequest {
  readonly method: "GET" | "POST";
  /** Without the base URL, with a leading slash. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Who is asked, for error messages: `function uva-sql-query`. */
  readonly whom: string;
  readonly answerBytesMax: number;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /** In lower case and without parameters; empty when absent. */
  readonly contentType: string;
  readonly body: Uint8Array;
}

export interface HttpExchange {
  /** @throws DynamosError FUNCTION_UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, RESULT_TOO_LARGE */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Calls in hand fail, connections are closed. */
  close(): void;
}

const agentOptions = { keepAlive: true, maxFreeSockets: 64 } as const;

export function createHttpExchange(baseUrl: URL, clock: Clock): HttpExchange {
  const secure = baseUrl.protocol === "https:";
  const agent = secure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
  const open = new Set<ClientRequest>();

  function start({ method, path, headers, body }: HttpRequest): ClientRequest {
    const length = body === undefined ? {} : { "content-length": String(body.length) };
    const url = new URL(`${baseUrl.pathname.replace(/\/$/, "")}${path}`, baseUrl);
    const request = (secure ? httpsRequest : httpRequest)(url, { method, headers: { ...headers, ...length }, agent });
    open.add(request);
    request.on("close", () => open.delete(request));
    request.end(body);
    return request;
  }

  return {
    send: async (request) => {
      try {
        return await answerOf(start, request, clock);
      } catch (error) {
        if (!(error instanceof StaleConnection)) throw error;
        // The other side closed the kept-alive connection just then. Steps are pure: sending twice is harmless.
        return answerOf(start, request, clock);
      }
    },
    close: () => {
      for (const request of open) request.destroy();
      agent.destroy();
    },
  };
}

class StaleConnection extends DynamosError {}

function answerOf(
  start: (request: HttpRequest) => ClientRequest,
  asked: HttpRequest,
  clock: Clock,
): Promise<HttpAnswer> {
  const { whom, signal, deadlineMs } = asked;
  const late = () => new DynamosError(ErrorCode.DEADLINE_EXCEEDED, `the deadline passed while ${whom} was asked`);
  const cancelled = () => new DynamosError(ErrorCode.CANCELLED, "the query was cancelled");
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(cancelled());
    if (deadlineMs <= clock.now()) return reject(late());
    const request = start(asked);
    const giveUp = (error: DynamosError) => {
      settle();
      reject(error);
      request.destroy();
    };
    const stopTimer = clock.after(deadlineMs - clock.now(), () => giveUp(late()));
    const onAbort = () => giveUp(cancelled());
    signal.addEventListener("abort", onAbort, { once: true });
    function settle(): void {
      stopTimer();
      signal.removeEventListener("abort", onAbort);
    }
    // These stay attached after the end: a destroyed request may still emit `error`.
    request.on("error", (cause) => giveUp(unreachable(request, whom, cause)));
    request.on("response", (response) => {
      collect(response, asked).then((answer) => {
        settle();
        resolve(answer);
      }, giveUp);
    });
  });
}

function unreachable(request: ClientRequest, whom: string, cause: Error): DynamosError {
  const code = "code" in cause ? String(cause.code) : "";
  const closed = code === "ECONNRESET" || code === "EPIPE";
  const Kind = request.reusedSocket && closed ? StaleConnection : DynamosError;
  const how = code === "ECONNREFUSED" ? "can't be reached: connection refused" : "can't be reached: connection lost";
  return new Kind(ErrorCode.FUNCTION_UNAVAILABLE, `${whom} ${how}`, { cause });
}

async function collect(response: IncomingMessage, { whom, answerBytesMax }: HttpRequest): Promise<HttpAnswer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      bytes += chunk.length;
      if (bytes > answerBytesMax) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, `the answer of ${whom} broke off`, { cause });
  }
  if (bytes > answerBytesMax) {
    throw new DynamosError(
      ErrorCode.RESULT_TOO_LARGE,
      `the answer of ${whom} is over the limit of ${answerBytesMax} bytes`,
    );
  }
  const type = response.headers["content-type"] ?? "";
  return {
    status: response.statusCode ?? 0,
    contentType: (type.split(";")[0] ?? "").trim().toLowerCase(),
    body: Buffer.concat(chunks),
  };
}
