/** One request at a step's door as a call of the step: its envelope, its chunks, and where the answer's chunks go. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { ErrorCode } from "#contracts";
import { pieceKinds, piecesType, readPieces } from "#contracts/pieces";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import { asksFirst } from "./asks-first.ts";
import type { HeldAnswer } from "./held-answer.ts";
import { readBody } from "./read-body.ts";
import type { Call } from "./step-invoker.ts";
import { answerMedia, bodyMedia } from "./step-media.ts";
import { noChunks } from "./table-flow.ts";

/** Loaded when first needed: it is larger than all the rest of the door. */
export interface JsonCodec {
  /** @throws SyntaxError and others, when the text is no envelope */
  envelopeFromText(text: string): Uint8Array;
  outcomeToText(outcome: Uint8Array): string;
}

/** @throws DynamosError ENVELOPE_INVALID, BODY_TOO_LARGE, CANCELLED */
export async function readCall(
  request: IncomingMessage,
  response: ServerResponse,
  answer: HeldAnswer,
  loadJson: () => Promise<JsonCodec>,
): Promise<Call> {
  const takers = answerMedia(request) === "pieces" ? pieceTakers(answer) : { take: refuseChunk, handOn: refuseOutcome };
  if (bodyMedia(request) === "pieces") {
    return { ...(await readCallPieces(request, response, answer)), ...takers };
  }
  const body = await readBody(request, response, limits.messageBytesMax);
  void answer.release();
  const envelope = bodyMedia(request) === "json" ? await envelopeOfJson(body, loadJson) : body;
  return { envelope, chunks: noChunks(), ...takers };
}

async function envelopeOfJson(body: Buffer, loadJson: () => Promise<JsonCodec>): Promise<Uint8Array> {
  const codec = await loadJson();
  try {
    return codec.envelopeFromText(body.toString("utf8"));
  } catch (cause) {
    throw new DynamosError(ErrorCode.ENVELOPE_INVALID, "the body is not an envelope in JSON", { cause });
  }
}

async function readCallPieces(request: IncomingMessage, response: ServerResponse, answer: HeldAnswer) {
  if (asksFirst(request)) response.writeContinue();
  // What is left unread must not take the connection along, on which the answer is still to go.
  const pieces = readPieces(request.iterator({ destroyOnReturn: false }), limits.messageBytesMax);
  const first = await named(pieces.next());
  if (first.done || first.value.kind !== pieceKinds.envelope) {
    await pieces.return();
    throw new DynamosError(ErrorCode.ENVELOPE_INVALID, "the first piece of the body must be the envelope");
  }
  return { envelope: first.value.body, chunks: chunksOf(pieces, answer) };
}

async function* chunksOf(pieces: ReturnType<typeof readPieces>, answer: HeldAnswer): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const next = await named(pieces.next());
      if (next.done) {
        answer.release().catch(() => {});
        return;
      }
      if (next.value.kind !== pieceKinds.chunk) {
        throw new DynamosError(ErrorCode.ENVELOPE_INVALID, "after the envelope there may only be chunks");
      }
      yield next.value.body;
    }
  } finally {
    // As long as it reads, nobody else gets what the client still sends.
    await pieces.return();
  }
}

async function named<T>(read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (cause) {
    if (cause instanceof RangeError) throw new DynamosError(ErrorCode.ENVELOPE_INVALID, cause.message, { cause });
    throw new DynamosError(ErrorCode.CANCELLED, "the client went away while it sent the body", { cause });
  }
}

type Takers = Required<Pick<Call, "take" | "handOn">>;

function pieceTakers(answer: HeldAnswer): Takers {
  return {
    take: (chunk) => answer.write(pieceKinds.chunk, chunk),
    handOn: (outcome) => answer.write(pieceKinds.handedOn, outcome),
  };
}

async function refuseChunk(): Promise<never> {
  throw new DynamosError(
    ErrorCode.RESULT_TOO_LARGE,
    `the table is too large to be inside the outcome: accept ${piecesType}, or ask for fewer rows`,
  );
}

async function refuseOutcome(): Promise<never> {
  throw new DynamosError(
    ErrorCode.ENVELOPE_INVALID,
    `the envelope goes on with further steps, which have outcomes of their own: accept ${piecesType}, or leave out goesOnWith`,
  );
}
