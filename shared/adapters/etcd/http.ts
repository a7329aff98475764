/** One request to one endpoint, its answer whole or line by line. Why not `fetch`: docs/decisions/0019-etcd-without-a-library.md. */
import { type Agent, type ClientRequest, type IncomingMessage, Agent as PlainAgent, request as plain } from "node:http";
import { request as secure, Agent as TlsAgent } from "node:https";
import { limits } from "#domain/limits";
import { EtcdRefusal } from "./refusal.ts";
import type { TlsOptions } from "./tls-files.ts";

export interface HttpRequest {
  /** `https://HOST:PORT`. */
  readonly endpoint: string;
  /** `/v3/…`. */
  readonly path: string;
  /** JSON. */
  readonly body: string;
  readonly token: string | undefined;
  readonly tls: TlsOptions | undefined;
  readonly agent: Agent;
  /** Ends it whatever it waits for. */
  readonly signal: AbortSignal;
}

/** How soon a connection without traffic is looked after by the kernel. */
const keepAliveMs = 5_000;

export function makeAgent(isTls: boolean, options: { readonly maxSockets: number }): Agent {
  const settings = { keepAlive: true, keepAliveMsecs: keepAliveMs, noDelay: true, scheduling: "lifo", ...options };
  return isTls ? new TlsAgent(settings as object) : new PlainAgent(settings as object);
}

/** @throws what the connection failed with; EtcdRefusal when the answer is too large */
export async function exchange(request: HttpRequest): Promise<{ readonly status: number; readonly body: string }> {
  const answer = await send(request);
  return { status: answer.statusCode ?? 0, body: await textOf(answer) };
}

/**
 * Each line of the answer as it comes, until the other side ends it.
 * @param onLine false: enough
 * @throws what the connection failed with
 */
export async function follow(request: HttpRequest, onLine: (status: number, line: string) => void): Promise<void> {
  const answer = await send(request);
  answer.socket.setKeepAlive(true, keepAliveMs);
  const status = answer.statusCode ?? 0;
  let pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      let from = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
        pieces.push(chunk.subarray(from, end));
        onLine(status, Buffer.concat(pieces).toString("utf8"));
        pieces = [];
        bytes = 0;
        from = end + 1;
      }
      bytes += chunk.length - from;
      if (bytes > limits.etcdAnswerBytesMax) throw tooLarge();
      if (from < chunk.length) pieces.push(chunk.subarray(from));
    }
    if (bytes > 0) onLine(status, Buffer.concat(pieces).toString("utf8"));
  } finally {
    answer.destroy();
  }
}

function send({ endpoint, path, body, token, tls, agent, signal }: HttpRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = {
      method: "POST",
      agent,
      signal,
      headers: {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        ...(token === undefined ? {} : { authorization: token }),
      },
    };
    const url = new URL(path, endpoint);
    const call: ClientRequest = tls === undefined ? plain(url, options) : secure(url, { ...options, ...tls });
    call.once("response", resolve);
    // Also after the answer began: it is the answer that fails then, and this must not end the process.
    call.on("error", reject);
    call.end(body);
  });
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limits.etcdAnswerBytesMax) {
      answer.destroy();
      throw tooLarge();
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function tooLarge(): EtcdRefusal {
  return new EtcdRefusal("other", `the knowledge base answers with more than ${limits.etcdAnswerBytesMax} bytes`);
}
