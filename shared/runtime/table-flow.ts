/** How tables reach a step and leave it, when they are too many bytes for its envelope and its outcome. */
import { Chunk, type Envelope, ErrorCode } from "#contracts";
import { DynamosError } from "#errors";

export interface TableFlow {
  /**
   * The Arrow IPC stream of an input's table, cut anywhere; of a table inside the envelope, its bytes.
   * Each once, in the order of the inputs: what is passed over is gone.
   * @throws DynamosError ENVELOPE_INVALID when the input holds no table, or is read too late
   */
  bytesOf(input: number): AsyncIterable<Uint8Array>;
  /** Next bytes of the outcome's table, ahead of the outcome. Resolves when there is room for more. */
  emit(bytes: Uint8Array): Promise<void>;
}

/** @param chunks of all transferred inputs, in the order of the inputs */
export function tableFlow(
  envelope: Envelope,
  chunks: AsyncIterable<Chunk>,
  emit: (bytes: Uint8Array) => Promise<void>,
): TableFlow {
  const source = chunks[Symbol.asyncIterator]();
  let ahead: Chunk | undefined;

  async function next(): Promise<Chunk | undefined> {
    ahead ??= (await source.next()).value;
    return ahead;
  }

  async function* bytesOf(input: number): AsyncGenerator<Uint8Array> {
    const content = envelope.inputs[input]?.payload?.content;
    const table = content?.$case === "result" ? content.value.table : undefined;
    if (table === undefined) throw new DynamosError(ErrorCode.ENVELOPE_INVALID, `input ${input} holds no table`);
    if (table.transfer === undefined) {
      yield table.arrowIpc;
      return;
    }
    for (let chunk = await next(); chunk !== undefined && chunk.input <= input; chunk = await next()) {
      ahead = undefined;
      if (chunk.input === input) yield chunk.body;
    }
  }

  return { bytesOf, emit };
}

export async function* decodeChunks(encoded: AsyncIterable<Uint8Array>): AsyncGenerator<Chunk> {
  for await (const bytes of encoded) yield Chunk.decode(bytes);
}

/** Of an invocation whose tables are all inside its envelope. */
export async function* noChunks(): AsyncGenerator<never> {}
