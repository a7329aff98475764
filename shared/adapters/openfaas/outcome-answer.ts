/** What a function's HTTP answer means: chunks and an outcome, or who failed to give one. */
import { Chunk, ErrorCode } from "#contracts";
import { pieceKinds, piecesType, readPieces } from "#contracts/pieces";
import { limits } from "#domain/limits";
import { DynamosError } from "#errors";
import type { Invocation } from "#ports/invoker";
import type { HttpAnswer } from "./http-exchange.ts";

/** A function of another make may answer with the outcome alone. */
export const outcomeType = "application/x-protobuf";

/**
 * An outcome is taken whatever the status: a step that refuses or fails answers 4xx or 5xx and
 * still says what it decided. Anything else comes from the gateway or the watchdog: 404 no such
 * function, 413 body limit, 429 busy (max_inflight), 500/502/503 not reached, 504 their own time
 * limit. Their answers are text, or empty and then of the request's own type.
 *
 * @throws DynamosError FUNCTION_UNAVAILABLE, OVERLOADED, BODY_TOO_LARGE, INTERNAL, RESULT_TOO_LARGE; what the takers fail with
 */
export async function outcomeBytes(answer: HttpAnswer, name: string, takers: Takers): Promise<Uint8Array> {
  const { contentType, isPlatforms, status } = answer;
  if (!isPlatforms && contentType === piecesType) return outcomeOfPieces(answer, name, takers);
  if (!isPlatforms && contentType === outcomeType) {
    const body = await answer.whole(limits.messageBytesMax);
    if (body.length > 0) return body;
    if (isSuccess(status)) {
      throw new DynamosError(ErrorCode.INTERNAL, `function ${name} answered with an empty outcome`);
    }
  }
  throw withoutOutcome(status, name);
}

interface Takers {
  readonly take: Invocation["take"];
  readonly handedOn: Invocation["handedOn"];
}

/**
 * Where a function dies in the middle of its answer, OpenFaaS' proxies end what they pass on as if it were whole. So
 * an answer that ends too early is a lost function, which is called again; bytes that are no pieces are a defect.
 */
async function outcomeOfPieces(answer: HttpAnswer, name: string, { take, handedOn }: Takers): Promise<Uint8Array> {
  let bytes = 0;
  let isAtEnd = false;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const part of answer.stream) {
      bytes += part.length;
      yield part;
    }
    isAtEnd = true;
  }
  try {
    for await (const { kind, body } of readPieces(counted(), limits.messageBytesMax)) {
      if (kind === pieceKinds.outcome) return body;
      if (kind === pieceKinds.handedOn) {
        if (handedOn === undefined) throw new RangeError("it went on with a step that it was not told to");
        await handedOn(body);
      }
      if (kind === pieceKinds.chunk) await take(Chunk.decode(body).body);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const code = isAtEnd ? ErrorCode.FUNCTION_UNAVAILABLE : ErrorCode.INTERNAL;
    throw new DynamosError(code, `function ${name}: ${error.message}`, { cause: error });
  }
  if (bytes === 0 && !isSuccess(answer.status)) throw withoutOutcome(answer.status, name);
  throw new DynamosError(ErrorCode.FUNCTION_UNAVAILABLE, `the answer of function ${name} ended before its outcome`);
}

function withoutOutcome(status: number, name: string): DynamosError {
  return new DynamosError(codeOf(status), `function ${name} ${reasonOf(status)}`);
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function codeOf(status: number): ErrorCode {
  if (status === 429) return ErrorCode.OVERLOADED;
  if (status === 413) return ErrorCode.BODY_TOO_LARGE;
  return status < 300 ? ErrorCode.INTERNAL : ErrorCode.FUNCTION_UNAVAILABLE;
}

function reasonOf(status: number): string {
  switch (status) {
    case 401:
    case 403:
      return `is closed to this caller (status ${status})`;
    case 404:
      return "is not deployed";
    case 413:
      return "takes no body of this size";
    case 429:
      return "has no room for another call";
    case 502:
    case 503:
      return `is not running (status ${status})`;
    case 504:
      return "did not answer within the gateway's time limit";
    default:
      return `answered with status ${status} and without an outcome`;
  }
}
