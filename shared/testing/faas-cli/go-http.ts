/** HTTP/1.1 requests with the bytes of Go's net/http: which headers, in which order and spelling. */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { createGunzip } from "node:zlib";

export interface GoRequest {
  readonly method: string;
  readonly url: string;
  readonly userAgent: string;
  /** Go sends them in alphabetical order. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly timeoutMs?: number;
}

export interface GoAnswer {
  readonly status: number;
  /** `200 OK`. */
  readonly statusText: string;
  readonly headers: IncomingMessage["headers"];
  /** Decoded, where it came in gzip. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** @throws Error of the connection */
export function send({ method, url, userAgent, headers, body, timeoutMs }: GoRequest): Promise<GoAnswer> {
  const target = new URL(url);
  const start = target.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = start({ method, host: target.hostname, port: target.port, path: target.pathname + target.search });
    const set = (name: string, value: string) => request.setHeader(name, value.trim());
    set("Host", target.host);
    set("User-Agent", userAgent);
    const length = body?.length ?? 0;
    if (length > 0 || ["POST", "PUT", "PATCH"].includes(method)) set("Content-Length", String(length));
    for (const name of Object.keys(headers).sort()) set(name, headers[name] ?? "");
    set("Accept-Encoding", "gzip");
    request.removeHeader("Connection");
    if (timeoutMs !== undefined) request.setTimeout(timeoutMs, () => request.destroy(new Error("timeout")));
    request.once("error", reject);
    request.once("response", (answer) => {
      resolve({
        status: answer.statusCode ?? 0,
        statusText: `${answer.statusCode} ${answer.statusMessage}`,
        headers: answer.headers,
        body: answer.headers["content-encoding"] === "gzip" ? answer.pipe(createGunzip()) : answer,
      });
    });
    request.end(body);
  });
}

export async function textOf({ body }: GoAnswer): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** As url.Values encodes: sorted by key, spaces as plus. */
export function encodeQuery(values: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  return new URLSearchParams(pairs).toString();
}
