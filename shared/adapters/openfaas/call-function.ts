/** One call of a function over HTTP, wherever it is: behind a gateway or by itself. */
import type { Chunk } from "#contracts";
import { encodeChunk, pieceKinds, pieceParts, piecesType } from "#contracts/pieces";
import type { Invocation, InvokeOptions } from "#ports/invoker";
import type { HttpExchange } from "./http-exchange.ts";
import { outcomeBytes, outcomeType } from "./outcome-answer.ts";

export interface CalledFunction {
  readonly name: string;
  /** Below the exchange's base URL. */
  readonly path: string;
}

/** @throws DynamosError as `Invoker.invoke` says */
export function callFunction(
  http: HttpExchange,
  { name, path }: CalledFunction,
  { envelope, chunks, take, handedOn, answeredBy, deadlineMs, signal }: Invocation & InvokeOptions,
): Promise<Uint8Array> {
  const headers = {
    "content-type": chunks === undefined ? outcomeType : piecesType,
    accept: `${piecesType}, ${outcomeType}`,
  };
  const body = chunks === undefined ? envelope : pieces(envelope, chunks);
  return http.send({ method: "POST", path, headers, body, whom: `function ${name}`, deadlineMs, signal }, (answer) => {
    if (answer.build !== "") answeredBy?.(answer.build);
    return outcomeBytes(answer, name, { take, handedOn });
  });
}

async function* pieces(envelope: Uint8Array, chunks: AsyncIterable<Chunk>): AsyncGenerator<Uint8Array> {
  yield* pieceParts(pieceKinds.envelope, envelope);
  for await (const { input, body } of chunks) yield* pieceParts(pieceKinds.chunk, encodeChunk(input, body));
}
