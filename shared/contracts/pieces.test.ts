import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Chunk, Piece } from "#contracts";
import { encodeChunk, pieceKinds, pieceParts, type RawPiece, readPieces } from "./pieces.ts";

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function read(bytes: Uint8Array, sizes: readonly number[] = [7], limit = 1_000_000): Promise<RawPiece[]> {
  const pieces: RawPiece[] = [];
  for await (const piece of readPieces(cut(bytes, sizes), limit)) pieces.push(piece);
  return pieces;
}

describe("pieces", () => {
  it("come back as they were written, wherever the body is cut", async () => {
    const piece = fc.record({ kind: fc.constantFrom(1, 2, 3), body: fc.uint8Array({ maxLength: 400 }) });
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), sizes, async (pieces, cuts) => {
        const body = Buffer.concat(pieces.flatMap(({ kind, body }) => pieceParts(kind, body)));
        const back = await read(body, cuts);
        expect(back.map(({ kind, body }) => [kind, ...body])).toEqual(pieces.map(({ kind, body }) => [kind, ...body]));
      }),
    );
  });

  it("are what the contract's own codec writes and reads", async () => {
    const chunk = encodeChunk(3, new Uint8Array([1, 2]));
    expect(Chunk.decode(chunk)).toEqual({ input: 3, body: Buffer.from([1, 2]) });
    const [head, body] = pieceParts(pieceKinds.chunk, chunk);
    expect(Piece.decode(Buffer.concat([head.subarray(1), body])).content).toEqual({
      $case: "chunk",
      value: { input: 3, body: Buffer.from([1, 2]) },
    });
  });

  it("refuse a body that breaks off, a piece over the limit and bytes that are no pieces", async () => {
    const body = Buffer.concat(pieceParts(2, new Uint8Array(100)));
    await expect(read(body.subarray(0, 60))).rejects.toThrow("breaks off");
    await expect(read(body, [7], 50)).rejects.toThrow("over the limit of 50");
    await expect(read(Buffer.alloc(9, 0xff))).rejects.toThrow("not made of pieces");
    await expect(read(Buffer.from([2, 0x08, 0x01]))).rejects.toThrow("not made of pieces");
    await expect(read(Buffer.from([4, 0x12, 0x00, 0x12, 0x00]))).rejects.toThrow("not made of pieces");
  });
});
