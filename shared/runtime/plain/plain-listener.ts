/** Any method at any path: one request to one worker, and its answer back. */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError, toDynamosError } from "#errors";
import type { Log } from "#ports/log";
import { endAnswer } from "../end-answer.ts";
import { readBody } from "../read-body.ts";
import type { StepInvoker } from "../step-invoker.ts";
import { noChunks } from "../table-flow.ts";
import { createReadUnwanted } from "../unwanted-body.ts";
import { decodeAnswer, encodeCall, type PlainAnswer } from "./plain-call.ts";
import type { PlainSettings } from "./plain-settings.ts";
import { problemAnswer } from "./problem-answer.ts";

export interface PlainListenerOptions {
  readonly invoker: StepInvoker;
  /** Requests in hand at once: running and waiting. */
  readonly requestsMax: number;
  readonly settings: PlainSettings;
  readonly log: Log;
}

/** Who waits for a handler in vain is told so before the watchdog cuts the connection. */
const execShareMax = 0.95;

export function plainListener(options: PlainListenerOptions): RequestListener {
  let inHand = 0;
  const readUnwanted = createReadUnwanted();
  return (request, response) => {
    // Whoever is refused keeps nobody out while its body is read on.
    const isRefused = inHand >= options.requestsMax;
    if (!isRefused) {
      inHand++;
      response.once("close", () => inHand--);
    }
    const answer = isRefused
      ? Promise.reject(new DynamosError(ErrorCode.OVERLOADED, "the function has too many calls in hand"))
      : handle(request, response, options);
    answer
      .catch((error: unknown) => failed(error, options))
      .then(async (ready) => {
        if (ready.status !== 413) await readUnwanted(request, bodyLimit(request, options.settings));
        send(request, response, ready);
      })
      .catch((error: unknown) => {
        options.log.log("error", "an answer was not sent", { reason: String(error) });
        response.destroy();
      });
  };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  { invoker, settings }: PlainListenerOptions,
): Promise<PlainAnswer> {
  const { execMs } = settings;
  const deadlineMs = Date.now() + Math.max(execMs * execShareMax, execMs - limits.deadlineReserveMs);
  const abort = new AbortController();
  response.once("close", () => abort.abort());
  const body = await bodyOf(request, response, settings);
  const { method = "GET", url = "/", headers } = request;
  const call = { envelope: encodeCall({ method, url, headers: known(headers), body }), chunks: noChunks() };
  const { outcome, worker } = await invoker.invoke(
    { ...call, take: async () => {} },
    { deadlineMs, signal: abort.signal },
  );
  const answer = decodeAnswer(outcome);
  return { ...answer, headers: { ...answer.headers, "x-dynamos-worker": worker } };
}

async function bodyOf(request: IncomingMessage, response: ServerResponse, settings: PlainSettings): Promise<Buffer> {
  const { name, bytesMax } = bodyLimit(request, settings);
  try {
    return await readBody(request, response, bytesMax);
  } catch (error) {
    const known = toDynamosError(error);
    if (known.code !== ErrorCode.BODY_TOO_LARGE) throw known;
    throw new DynamosError(known.code, `${known.message}, which the setting ${name} of the function raises`);
  }
}

/** @returns the largest body, and the setting that says so */
function bodyLimit(request: IncomingMessage, settings: PlainSettings): { name: string; bytesMax: number } {
  const isJson = /^application\/([^;]+\+)?json\b/i.test(request.headers["content-type"] ?? "");
  return isJson && !settings.rawBody
    ? { name: "MAX_JSON_SIZE", bytesMax: settings.jsonBytesMax }
    : { name: "MAX_RAW_SIZE", bytesMax: settings.otherBytesMax };
}

function known(headers: IncomingMessage["headers"]): Record<string, string | readonly string[]> {
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

function failed(error: unknown, { settings, log }: PlainListenerOptions): PlainAnswer {
  const known = toDynamosError(error);
  const cause = known.cause instanceof Error ? known.cause.message : undefined;
  log.log(known.code === ErrorCode.INTERNAL ? "error" : "info", "the call failed", {
    code: known.label,
    reason: known.message,
    cause,
  });
  return known.code === ErrorCode.DEADLINE_EXCEEDED
    ? problemAnswer(known.code, `the handler did not end within exec_timeout, which is ${settings.execMs} ms`)
    : problemAnswer(known.code, known.message);
}

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: PlainAnswer): void {
  if (response.destroyed) return;
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const isBodiless = status === 204 || status === 304;
  if (!isBodiless) response.setHeader("content-length", body.length);
  endAnswer(request, response, isBodiless ? "" : body);
}
