/** `POST /`: one envelope in, one outcome out, whatever happens. */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { ErrorCode } from "#contracts";
import { pieceKinds, pieceParts } from "#contracts/pieces";
import { limits } from "#domain/limits";
import { DynamosError, toDynamosError } from "#errors";
import type { Log } from "#ports/log";
import { buildHeader } from "./build-digest.ts";
import { checkEnvelope, type StepDescription } from "./check-envelope.ts";
import { endAnswer } from "./end-answer.ts";
import { type HeldAnswer, holdAnswer } from "./held-answer.ts";
import { encodeFailure, statusOf } from "./outcome-bytes.ts";
import { readOn } from "./read-on.ts";
import { type JsonCodec, readCall } from "./step-call.ts";
import type { Invocation, StepInvoker } from "./step-invoker.ts";
import { answerMedia, bodyMedia, type Media, mediaTypes } from "./step-media.ts";
import { createReadUnwanted, isHeldBack, type ReadUnwanted } from "./unwanted-body.ts";

export interface StepListenerOptions {
  readonly step: StepDescription;
  readonly invoker: StepInvoker;
  /** Requests in hand at once: running and waiting. */
  readonly requestsMax: number;
  readonly loadJson: () => Promise<JsonCodec>;
  /** Of the code that answers; empty: not known. */
  readonly build: string;
  readonly log: Log;
}

const retryAfterSeconds = "1";

export function stepListener(options: StepListenerOptions): RequestListener {
  let inHand = 0;
  const readUnwanted = createReadUnwanted();
  return (request, response) => {
    if (options.build !== "") response.setHeader(buildHeader, options.build);
    const held = holdAnswer(response);
    // Whoever is refused keeps nobody out while its body is read on.
    const isRefused = inHand >= options.requestsMax;
    if (!isRefused) {
      inHand++;
      response.once("close", () => inHand--);
    }
    const invocation = isRefused
      ? Promise.reject(new DynamosError(ErrorCode.OVERLOADED, `${options.step.name} has too many calls in hand`))
      : handle(request, response, held, options);
    invocation
      .catch((error: unknown) => failed(error, options))
      .then((answer) => send(request, response, { ...answer, held, readUnwanted }, options))
      .catch((error: unknown) => {
        options.log.log("error", "an answer was not sent", { reason: String(error) });
        response.destroy();
      });
  };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  held: HeldAnswer,
  options: StepListenerOptions,
): Promise<Invocation> {
  checkRequest(request);
  const call = await readCall(request, response, held, options.loadJson);
  const { deadlineMs } = checkEnvelope(call.envelope, options.step, Date.now());
  const abort = new AbortController();
  response.once("close", () => abort.abort());
  return options.invoker.invoke(call, {
    deadlineMs: Math.min(deadlineMs, Date.now() + limits.invocationMsMax),
    signal: abort.signal,
  });
}

function checkRequest(request: IncomingMessage): void {
  if (request.url?.split("?", 1)[0] !== "/") {
    throw new DynamosError(ErrorCode.NOT_FOUND, "a step is called at /");
  }
  if (request.method !== "POST") {
    throw new DynamosError(ErrorCode.METHOD_NOT_ALLOWED, "a step is called with POST");
  }
  if (bodyMedia(request) === undefined) {
    throw new DynamosError(
      ErrorCode.UNSUPPORTED_MEDIA_TYPE,
      `the body must be ${mediaTypes.protobuf}, ${mediaTypes.json} or ${mediaTypes.pieces}`,
    );
  }
}

function failed(error: unknown, { step, log }: StepListenerOptions): Invocation {
  const known = toDynamosError(error);
  const cause = known.cause instanceof Error ? known.cause.message : undefined;
  log.log(known.code === ErrorCode.INTERNAL ? "error" : "info", "the call failed", {
    code: known.label,
    reason: known.message,
    cause,
  });
  return { outcome: encodeFailure(known.toFailure({ step: step.name })), worker: "" };
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  invocation: Invocation & { readonly held: HeldAnswer; readonly readUnwanted: ReadUnwanted },
  options: StepListenerOptions,
): Promise<void> {
  const { outcome, status } = known(invocation.outcome, options);
  if (bodyMedia(request) === "pieces") {
    if (!isHeldBack(request)) await readOn(request);
  } else if (status !== 413) {
    await invocation.readUnwanted(request, { bytesMax: limits.messageBytesMax });
  }
  await invocation.held.release();
  if (response.destroyed) {
    return;
  }
  const media = answerMedia(request);
  const body = await bodyOf(outcome, media, options);
  if (response.headersSent) {
    // Its chunks are on their way already, with the status 200; the outcome after them says what became of it.
    endAnswer(request, response, body);
    return;
  }
  response.statusCode = status;
  response.setHeader("content-type", mediaTypes[media]);
  response.setHeader("content-length", Buffer.byteLength(body));
  if (invocation.worker !== "") {
    response.setHeader("x-dynamos-worker", invocation.worker);
  }
  if (status === 405) {
    response.setHeader("allow", "POST");
  }
  if (status === 503) {
    response.setHeader("retry-after", retryAfterSeconds);
  }
  endAnswer(request, response, body);
}

async function bodyOf(outcome: Uint8Array, media: Media, { loadJson }: StepListenerOptions) {
  if (media === "pieces") return Buffer.concat(pieceParts(pieceKinds.outcome, outcome));
  return media === "json" ? `${(await loadJson()).outcomeToText(outcome)}\n` : outcome;
}

/** A worker's reply that is no outcome is a defect of the step. */
function known(outcome: Uint8Array, options: StepListenerOptions): { outcome: Uint8Array; status: number } {
  try {
    return { outcome, status: statusOf(outcome) };
  } catch (cause) {
    const error = new DynamosError(ErrorCode.INTERNAL, "the step decided nothing", { cause });
    const replacement = failed(error, options).outcome;
    return { outcome: replacement, status: statusOf(replacement) };
  }
}
