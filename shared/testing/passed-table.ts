/** Calls of the step `pass-on` with tables larger than a message. */
import { createHash } from "node:crypto";
import { type Agent, request } from "node:http";
import { Chunk, Envelope, Outcome } from "#contracts";
import { encodeChunk, pieceKinds, pieceParts, piecesType, readPieces } from "#contracts/pieces";
import { labelOf } from "#errors";
import { roomIn } from "#runtime/room-in";

export const passOnStep = "shared/runtime/testing-steps/pass-on.ts";
export const chunkBytes = 256 * 1024;
const pieceBytesMax = 2 ** 26;

/** @param sql how the step is to go wrong; empty: not at all */
export function passOnEnvelope(sql = ""): Uint8Array {
  const transfer = { name: "", chunks: 1, bytes: 1, sha256: Buffer.alloc(0) };
  const value = { table: { arrowIpc: Buffer.alloc(0), rows: 1, transfer }, chart: undefined, document: undefined };
  return Envelope.encode(
    Envelope.fromPartial({
      queryId: "q1",
      step: "pass-on",
      deadlineMs: Date.now() + 60_000,
      query: { sql },
      inputs: [{ provider: "UVA", payload: { content: { $case: "result", value } } }],
    }),
  ).finish();
}

/** A request's body with so many chunks, each filled with its number. */
export async function* passOnBody(chunks: number, sql = ""): AsyncGenerator<Uint8Array> {
  yield* pieceParts(pieceKinds.envelope, passOnEnvelope(sql));
  for (let i = 0; i < chunks; i++) {
    yield* pieceParts(pieceKinds.chunk, encodeChunk(0, Buffer.alloc(chunkBytes, i)));
  }
}

/** Of the table in such a body. */
export function chunksSha256(chunks: number): string {
  const hash = createHash("sha256");
  for (let i = 0; i < chunks; i++) hash.update(Buffer.alloc(chunkBytes, i));
  return hash.digest("hex");
}

export interface Passed {
  readonly status: number;
  readonly contentType: string;
  readonly outcome: Outcome;
  readonly bytes: number;
  readonly sha256: string;
  /** The request had been sent to its end when the answer began. */
  readonly wasSent: boolean;
}

export function postPieces(url: string, source: AsyncIterable<Uint8Array>, agent?: Agent): Promise<Passed> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method: "POST", headers: { "content-type": piecesType }, agent });
    let isAnswered = false;
    // The rest of a request that was answered early.
    call.on("error", (error) => isAnswered || reject(error));
    call.on("response", async (response) => {
      isAnswered = true;
      const wasSent = call.writableEnded;
      const hash = createHash("sha256");
      let bytes = 0;
      let outcome = Outcome.create();
      try {
        for await (const piece of readPieces(response, pieceBytesMax)) {
          if (piece.kind === pieceKinds.outcome) outcome = Outcome.decode(piece.body);
          else {
            const part = Chunk.decode(piece.body).body;
            bytes += part.length;
            hash.update(part);
          }
        }
        const contentType = response.headers["content-type"] ?? "";
        const status = response.statusCode ?? 0;
        resolve({ status, contentType, outcome, bytes, sha256: hash.digest("hex"), wasSent });
      } catch (error) {
        reject(error);
      }
    });
    void (async () => {
      for await (const part of source) {
        if (!call.write(part)) await roomIn(call);
        if (call.destroyed) return;
      }
      call.end();
    })();
  });
}

/** What was decided, or the label of the failure. */
export function decisionOf({ outcome }: Passed): string | undefined {
  return outcome.decision?.$case === "failure" ? labelOf(outcome.decision.value.code) : outcome.decision?.$case;
}
