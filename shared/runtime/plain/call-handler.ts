/** One call of a plain handler: `(event, context, callback)`, from bytes to bytes. Never rejects. */
import { ErrorCode } from "#contracts";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { answerOf } from "./answer-of.ts";
import { HandlerContext, type Said } from "./handler-context.ts";
import { type BodySettings, type HandlerEvent, handlerEvent } from "./handler-event.ts";
import { decodeCall, encodeAnswer, type PlainAnswer } from "./plain-call.ts";
import { problemAnswer } from "./problem-answer.ts";

export type HandlerCallback = (error?: unknown, result?: unknown) => void;
export type Handler = (event: HandlerEvent, context: HandlerContext, callback: HandlerCallback) => unknown;

/** @param report gets what is for the log alone, with its stack */
export async function callHandler(
  handler: Handler,
  call: Uint8Array,
  settings: BodySettings,
  report: (error: unknown) => void,
): Promise<Uint8Array> {
  const answer = await answerTo(handler, call, settings, report);
  const bytes = encodeAnswer(answer);
  if (bytes.length <= limits.messageBytesMax) return bytes;
  report(new RangeError(`the answer is over the limit of ${limits.messageBytesMax} bytes`));
  return encodeAnswer(problemAnswer(ErrorCode.RESULT_TOO_LARGE, "the handler's answer is too large"));
}

async function answerTo(
  handler: Handler,
  call: Uint8Array,
  settings: BodySettings,
  report: (error: unknown) => void,
): Promise<PlainAnswer> {
  let event: HandlerEvent;
  try {
    event = handlerEvent(decodeCall(call), settings);
  } catch (error) {
    if (error instanceof DynamosError) return problemAnswer(error.code, error.message);
    report(error);
    return problemAnswer(ErrorCode.INTERNAL, "the request could not be handed to the handler");
  }
  try {
    return await said(handler, event, report);
  } catch (error) {
    report(error);
    return problemAnswer(ErrorCode.INTERNAL, "the handler failed; the function's log says why");
  }
}

/** @throws what the handler throws, and TypeError for an answer that can't be sent */
function said(handler: Handler, event: HandlerEvent, report: (error: unknown) => void): Promise<PlainAnswer> {
  return new Promise((resolve, reject) => {
    let hasAnswered = false;
    const say = (next: Said): void => {
      if (hasAnswered) {
        report(`the handler had answered already: that it has ${next.how} is only logged`);
        if (next.how === "thrown") report(next.error);
        return;
      }
      hasAnswered = true;
      try {
        resolve(answerTold(next, context, report));
      } catch (error) {
        reject(error);
      }
    };
    const context = new HandlerContext(say);
    const callback: HandlerCallback = (error, result) => (error ? context.fail(error) : context.succeed(result));
    const returned = (value: unknown): void => {
      // One that takes a callback and returns nothing will call it.
      const waits = value === undefined && handler.length >= 3;
      if (!hasAnswered && !waits) context.succeed(value);
    };
    void (async () => returned(await handler(event, context, callback)))().catch((error: unknown) =>
      say({ how: "thrown", error }),
    );
  });
}

function answerTold(said: Said, context: HandlerContext, report: (error: unknown) => void): PlainAnswer {
  if (said.how === "thrown") throw said.error;
  const failed = said.how === "failed";
  if (failed) report(said.value);
  return answerOf(said.value, { status: context.status(), headers: context.headers(), failed });
}
