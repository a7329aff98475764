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
 * still says what it decided. Anything else comes from the gateway or the watchdog, whose errors
 * are text: 404 no such function, 413 body limit, 429 busy (max_inflight), 500/502/503 not
 * reached, 504 their own time limit.
 *
 * @throws DynamosError FUNCTION_UNAVAILABLE, OVERLOADED, BODY_TOO_LARGE, INTERNAL, RESULT_TOO_LARGE; what the takers fail with
 */
export async function outcomeBytes(answer: HttpAnswer, name: string, takers: Takers): Promise<Uint8Array> {
  const { contentType, status } = answer;
  if (contentType === piecesType) return outcomeOfPieces(answer, name, takers);
  if (contentType === outcomeType) {
    const body = await answer.whole(limits.messageBytesMax);
    if (body.length === 0)
      throw new DynamosError(ErrorCode.INTERNAL, `function ${name} answered with an empty outcome`);
    return body;
  }
  throw new DynamosError(codeOf(status), `function ${name} ${reasonOf(status)}`);
}

interface Takers {
  readonly take: Invocation["take"];
  readonly handedOn: Invocation["handedOn"];
}

async function outcomeOfPieces(answer: HttpAnswer, name: string, { take, handedOn }: Takers): Promise<Uint8Array> {
  try {
    for await (const { kind, body } of readPieces(answer.stream, limits.messageBytesMax)) {
      if (kind === pieceKinds.outcome) return body;
      if (kind === pieceKinds.handedOn) {
        if (handedOn === undefined) throw new RangeError("it went on with a step that it was not told to");
        await handedOn(body);
      }
      if (kind === pieceKinds.chunk) await take(Chunk.decode(body).body);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new DynamosError(ErrorCode.INTERNAL, `function ${name}: ${error.message}`, { cause: error });
  }
  throw new DynamosError(ErrorCode.INTERNAL, `function ${name} answered without an outcome`);
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
